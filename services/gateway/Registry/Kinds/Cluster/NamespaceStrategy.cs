using System.Text.Json.Nodes;
using Mesh.Api;

namespace Mesh.Gateway.Registry.Kinds.Cluster;

/// <summary>Namespaces: labelled with their name, kept by the finalizer "kubernetes" until they are empty.</summary>
internal sealed class NamespaceStrategy() : KindStrategy(Of("", "v1", "namespaces"), hasStatus: true, names: NameRule.Label)
{
    private const string NameLabel = "kubernetes.io/metadata.name";
    private static readonly string[] Fields = ["status.phase", "name"];

    /// <inheritdoc/>
    public override IReadOnlyList<string> SelectableFields => Fields;

    /// <inheritdoc/>
    public override string[] SelectableValues(JsonObject obj) => [obj.Obj("status").Str("phase"), obj.Name()];

    /// <inheritdoc/>
    public override void Default(JsonObject obj)
    {
        if (obj.Name().Length > 0)
            obj.Ensure("metadata").Ensure("labels")[NameLabel] = obj.Name();
    }

    /// <inheritdoc/>
    public override void PrepareForCreate(JsonObject obj, StrategyContext context)
    {
        base.PrepareForCreate(obj, context);
        Default(obj); // a generated name is known only now
        obj["status"] = new JsonObject { ["phase"] = "Active" };
        var finalizers = obj.Ensure("spec").Strings("finalizers");
        if (!finalizers.Contains("kubernetes"))
            obj.Obj("spec")!["finalizers"] = new JsonArray([.. finalizers.Append("kubernetes").Select(f => JsonValue.Create(f))]);
    }

    /// <inheritdoc/>
    public override void PrepareForUpdate(JsonObject obj, JsonObject old, StrategyContext context)
    {
        base.PrepareForUpdate(obj, old, context);
        PutBack("spec", obj, old);
    }

    /// <inheritdoc/>
    public override void PrepareForSubresourceUpdate(string subresource, JsonObject obj, JsonObject old, StrategyContext context)
    {
        var finalizers = obj.Obj("spec")?["finalizers"]?.DeepClone();
        base.PrepareForSubresourceUpdate(subresource, obj, old, context);
        if (subresource != "finalize")
            return;
        PutBack("status", obj, old);
        var spec = obj.Ensure("spec");
        spec.Remove("finalizers");
        if (finalizers is not null)
            spec["finalizers"] = finalizers;
    }

    /// <inheritdoc/>
    public override bool MayBeRemoved(JsonObject obj) => Spec(obj).Strings("finalizers").Count == 0;

    /// <inheritdoc/>
    public override void PrepareForDelete(JsonObject obj) => obj.Ensure("status")["phase"] = "Terminating";

    /// <inheritdoc/>
    public override void Validate(JsonObject obj, List<FieldError> errors)
    {
        foreach (var finalizer in Spec(obj).Strings("finalizers"))
            Finalizer(errors, "spec.finalizers", finalizer);
    }

    /// <inheritdoc/>
    public override void ValidateSubresourceUpdate(string subresource, JsonObject obj, JsonObject old, List<FieldError> errors)
    {
        if (subresource == "finalize")
        {
            foreach (var (i, finalizer) in Spec(obj).Strings("finalizers").Index())
                Finalizer(errors, new FieldPath("spec.finalizers").Index(i), finalizer);
        }

        if (subresource != "status")
            return;
        var phase = obj.Obj("status").Str("phase");
        if (obj.Obj("metadata").Has("deletionTimestamp") ? phase != "Terminating" : phase != "Active")
        {
            errors.Add(FieldError.Invalid("status.Phase", phase, obj.Obj("metadata").Has("deletionTimestamp")
                ? "may only be 'Terminating' if `deletionTimestamp` is not empty" : "may only be 'Active' if `deletionTimestamp` is empty"));
        }
    }

    private static void Finalizer(List<FieldError> errors, FieldPath at, string name)
    {
        errors.Rules(at, name, Names.QualifiedName(name));
        if (!name.Contains('/') && name is not ("kubernetes" or "orphan" or "foregroundDeletion"))
            errors.Add(FieldError.Invalid(at, name, "name is neither a standard finalizer name nor is it fully qualified"));
    }
}
