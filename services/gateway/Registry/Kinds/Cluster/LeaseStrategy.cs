using System.Text.Json.Nodes;
using Mesh.Api;

namespace Mesh.Gateway.Registry.Kinds.Cluster;

/// <summary>Leases.</summary>
internal sealed class LeaseStrategy() : KindStrategy(Of("coordination.k8s.io", "v1", "leases"))
{
    /// <inheritdoc/>
    public override bool AllowCreateOnUpdate => true;

    /// <inheritdoc/>
    public override void Validate(JsonObject obj, List<FieldError> errors)
    {
        var spec = Spec(obj);
        if (spec.Num("leaseDurationSeconds") is <= 0 and var seconds)
            errors.Add(FieldError.Invalid("spec.leaseDurationSeconds", seconds, "must be greater than 0"));
        errors.NonNegative("spec.leaseTransitions", spec.Num("leaseTransitions"));
        if (spec.Has("strategy") && spec.Str("strategy") != "OldestEmulationVersion")
            Workloads.JobValidation.DomainPrefixedPath(errors, "spec.strategy", spec.Str("strategy"));
        if (spec.Str("preferredHolder").Length > 0 && spec.Str("strategy").Length == 0)
            errors.Add(FieldError.Forbidden("spec.preferredHolder", "may only be specified if `strategy` is defined"));
    }
}
