using Mesh.Api.Meta.V1;

namespace Mesh.Controllers.Volumes;

/// <summary>What is to be done with a protecting finalizer.</summary>
internal enum ProtectionStep
{
    /// <summary>It is as it should be.</summary>
    None,

    /// <summary>It is missing: the object was made before it was protected.</summary>
    Add,

    /// <summary>The object is being deleted and nobody uses it.</summary>
    Remove,
}

/// <summary>Volumes and claims stay while they are used: a finalizer each, put on by the gateway.</summary>
internal static class Protection
{
    internal const string Volume = "kubernetes.io/pv-protection";
    internal const string Claim = "kubernetes.io/pvc-protection";

    /// <summary>The step for an object. isUsed is asked only when it counts.</summary>
    internal static ProtectionStep Decide(ObjectMeta meta, string finalizer, Func<bool> isUsed)
    {
        var has = meta.Finalizers?.Contains(finalizer) == true;
        if (meta.DeletionTimestamp is null) return has ? ProtectionStep.None : ProtectionStep.Add;
        return has && !isUsed() ? ProtectionStep.Remove : ProtectionStep.None;
    }

    /// <summary>Does the step on an object's finalizers.</summary>
    internal static void Apply(ProtectionStep step, ObjectMeta meta, string finalizer)
    {
        if (step == ProtectionStep.Add) (meta.Finalizers ??= []).Add(finalizer);
        else if (step == ProtectionStep.Remove) meta.Finalizers?.Remove(finalizer);
    }
}
