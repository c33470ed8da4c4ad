using System.Text.Json.Nodes;
using Mesh.Api;
using Mesh.Gateway.Authorization;
using Mesh.Gateway.Storage;

namespace Mesh.Gateway.Admission;

/// <summary>Turns a pod's priority class into its number; keeps one default class in the cluster.</summary>
internal sealed class PriorityAdmission(IObjectReader objects) : AdmissionPlugin("Priority")
{
    /// <summary>The classes every cluster has.</summary>
    public static IReadOnlyDictionary<string, int> SystemClasses { get; } = new Dictionary<string, int>
    {
        ["system-cluster-critical"] = 2_000_000_000,
        ["system-node-critical"] = 2_000_001_000,
    };

    /// <inheritdoc/>
    public override bool Handles(AdmissionOperation operation, ApiResource resource, string subresource) =>
        operation is AdmissionOperation.Create or AdmissionOperation.Update && subresource.Length == 0 && (IsPod(resource) || IsClass(resource));

    /// <inheritdoc/>
    public override async ValueTask AdmitAsync(AdmissionAttributes attributes, CancellationToken ct)
    {
        if (!IsPod(attributes.Resource) || attributes.Object?["spec"] is not JsonObject spec) return;
        if (attributes.Operation == AdmissionOperation.Update)
        {
            // Writers that do not know the fields leave them out: they stay what they were.
            foreach (var field in new[] { "priority", "preemptionPolicy" })
            {
                if (spec[field] is null && attributes.OldObject.At("spec", field) is { } was) spec[field] = was.DeepClone();
            }

            return;
        }

        var (name, value, policy) = await ClassOfAsync(attributes, spec.Text("priorityClassName"), ct);
        if (spec.Number("priority") is { } given && given != value)
        {
            throw Forbidden(attributes, $"the integer value of priority ({given}) must not be provided in pod spec; priority admission controller computed {value} from the given PriorityClass name");
        }

        if (name.Length > 0) spec["priorityClassName"] = name;
        spec["priority"] = value;
        if (spec.Text("preemptionPolicy") is { Length: > 0 } asked && asked != policy)
        {
            throw Forbidden(attributes, $"the string value of PreemptionPolicy ({asked}) must not be provided in pod spec; priority admission controller computed {policy} from the given PriorityClass name");
        }

        spec["preemptionPolicy"] = policy;
    }

    /// <inheritdoc/>
    public override async ValueTask ValidateAsync(AdmissionAttributes attributes, CancellationToken ct)
    {
        if (!IsClass(attributes.Resource) || attributes.Object.Flag("globalDefault") != true) return;
        foreach (var other in await objects.ListAsync(RbacResources.PriorityClasses, null, ct))
        {
            if (other.Flag("globalDefault") == true && other.Name() != attributes.Object.Name())
            {
                throw Forbidden(attributes, $"PriorityClass {other.Name()} is already marked as default. Only one default can exist");
            }
        }
    }

    private async ValueTask<(string Name, long Value, string Policy)> ClassOfAsync(AdmissionAttributes attributes, string name, CancellationToken ct)
    {
        if (name.Length == 0)
        {
            JsonObject? best = null;
            foreach (var candidate in await objects.ListAsync(RbacResources.PriorityClasses, null, ct))
            {
                if (candidate.Flag("globalDefault") == true && (best is null || candidate.Number("value") < best.Number("value"))) best = candidate;
            }

            return best is null ? ("", 0, "PreemptLowerPriority") : (best.Name(), best.Number("value") ?? 0, Policy(best));
        }

        var found = await objects.GetAsync(RbacResources.PriorityClasses, null, name, ct) ?? await objects.GetFreshAsync(RbacResources.PriorityClasses, null, name, ct);
        if (found is not null) return (name, found.Number("value") ?? 0, Policy(found));
        if (SystemClasses.TryGetValue(name, out var value)) return (name, value, "PreemptLowerPriority");
        throw Forbidden(attributes, $"no PriorityClass with name {name} was found");
    }

    private static string Policy(JsonObject priorityClass) => priorityClass.Text("preemptionPolicy") is { Length: > 0 } policy ? policy : "PreemptLowerPriority";

    private static bool IsClass(ApiResource resource) => resource is { Group: "scheduling.k8s.io", Plural: "priorityclasses" };
}
