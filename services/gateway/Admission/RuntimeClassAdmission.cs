using System.Text.Json.Nodes;
using Mesh.Api;
using Mesh.Gateway.Authorization;
using Mesh.Gateway.Storage;

namespace Mesh.Gateway.Admission;

/// <summary>Gives a new pod what its runtime class asks for: the overhead of the runtime, and the nodes that have it (KEP-585, KEP-688).</summary>
internal sealed class RuntimeClassAdmission(IObjectReader objects) : AdmissionPlugin("RuntimeClass")
{
    /// <inheritdoc/>
    public override bool Handles(AdmissionOperation operation, ApiResource resource, string subresource) =>
        operation == AdmissionOperation.Create && IsPod(resource) && subresource.Length == 0;

    /// <inheritdoc/>
    public override async ValueTask AdmitAsync(AdmissionAttributes attributes, CancellationToken ct)
    {
        if (attributes.Object?["spec"] is not JsonObject spec || await ClassOfAsync(attributes, spec, ct) is not { } runtime) return;
        if (runtime["overhead"] is JsonObject overhead)
        {
            var amounts = overhead["podFixed"] as JsonObject;
            if (HasOverhead(spec) && !SameAmounts(amounts, spec["overhead"] as JsonObject)) throw OtherOverhead(attributes);
            spec.Remove("overhead");
            if (amounts is { Count: > 0 }) spec["overhead"] = amounts.DeepClone();
        }

        if (runtime["scheduling"] is JsonObject scheduling) Place(attributes, spec, scheduling);
    }

    /// <inheritdoc/>
    public override async ValueTask ValidateAsync(AdmissionAttributes attributes, CancellationToken ct)
    {
        if (attributes.Object?["spec"] is not JsonObject spec) return;
        var runtime = await ClassOfAsync(attributes, spec, ct);
        if (!HasOverhead(spec)) return;
        if (runtime?["overhead"] is not JsonObject overhead)
            throw Forbidden(attributes, "pod rejected: Pod Overhead set without corresponding RuntimeClass defined Overhead");
        if (!SameAmounts(overhead["podFixed"] as JsonObject, spec["overhead"] as JsonObject)) throw OtherOverhead(attributes);
    }

    private static void Place(AdmissionAttributes attributes, JsonObject spec, JsonObject scheduling)
    {
        if (scheduling["nodeSelector"] is JsonObject { Count: > 0 } labels)
        {
            if (spec["nodeSelector"] is not JsonObject selector) spec["nodeSelector"] = selector = [];
            foreach (var (key, value) in labels)
            {
                if (selector[key] is { } own && own.ToString() != value?.ToString())
                {
                    throw Forbidden(
                        attributes, $"conflict: runtimeClass.scheduling.nodeSelector[{key}] = {value}; pod.spec.nodeSelector[{key}] = {own}");
                }

                selector[key] = value?.DeepClone();
            }
        }

        var merged = TolerationMerge.Of(spec.Objects("tolerations"), scheduling.Objects("tolerations"));
        if (merged.Count > 0) spec["tolerations"] = merged;
    }

    private async ValueTask<JsonObject?> ClassOfAsync(AdmissionAttributes attributes, JsonObject spec, CancellationToken ct)
    {
        if (spec["runtimeClassName"] is null) return null;
        var name = spec.Text("runtimeClassName");
        return await objects.GetAsync(RbacResources.RuntimeClasses, null, name, ct) ?? await objects.GetFreshAsync(RbacResources.RuntimeClasses, null, name, ct)
            ?? throw Forbidden(attributes, $"pod rejected: RuntimeClass {GoText.Quote(name)} not found");
    }

    private static bool HasOverhead(JsonObject spec) => spec["overhead"] is JsonObject { Count: > 0 };

    private static ApiException OtherOverhead(AdmissionAttributes attributes) =>
        Forbidden(attributes, "pod rejected: Pod's Overhead doesn't match RuntimeClass's defined Overhead");

    private static bool SameAmounts(JsonObject? a, JsonObject? b) =>
        (a?.Count ?? 0) == (b?.Count ?? 0)
        && (a ?? []).All(p => b?[p.Key] is { } other && Quantity.TryParse(p.Value?.ToString(), out var x) && Quantity.TryParse(other.ToString(), out var y) && x == y);
}
