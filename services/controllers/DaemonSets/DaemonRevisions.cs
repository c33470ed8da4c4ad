using System.Text.Json.Nodes;
using Mesh.Api;
using Mesh.Api.Apps.V1;
using Mesh.Api.Meta.V1;
using Mesh.Controllers.Deployments;
using Mesh.Controllers.Framework;

namespace Mesh.Controllers.DaemonSets;

/// <summary>What is to be done with a daemon set's ControllerRevisions, which is what rollout history and undo read.</summary>
/// <param name="Hash">Name of the present template.</param>
/// <param name="Create">The revision to make; null when it is there.</param>
/// <param name="Renumber">An older revision that became the present one again.</param>
/// <param name="Forget">Revisions beyond the history limit that no pod has.</param>
internal sealed record RevisionPlan(string Hash, ControllerRevision? Create, ControllerRevision? Renumber, IReadOnlyList<ControllerRevision> Forget);

/// <summary>History of a daemon set's templates.</summary>
internal static class DaemonRevisions
{
    internal static RevisionPlan Decide(DaemonSet set, IReadOnlyCollection<ControllerRevision> owned, ISet<string> hashesInUse)
    {
        var data = Data(set);
        var last = owned.Select(r => r.Revision ?? 0).DefaultIfEmpty(0).Max();
        var present = owned.Where(r => JsonNode.DeepEquals(r.Data, data)).MaxBy(r => r.Revision ?? 0);
        var old = owned.Where(r => r != present).OrderBy(r => r.Revision ?? 0).ToList();
        var unused = old.Where(r => !hashesInUse.Contains(HashOf(r))).ToList();
        var forget = unused.Take(Math.Max(0, old.Count - (set.Spec?.RevisionHistoryLimit ?? 10))).ToList();
        if (present is not null)
        {
            ControllerRevision? renumbered = null;
            if (present.Revision < last)
            {
                renumbered = present.Clone();
                renumbered.Revision = last + 1;
            }

            return new RevisionPlan(HashOf(present), null, renumbered, forget);
        }

        var hash = TemplateHash.Compute(set.Spec!.Template!, set.Status?.CollisionCount);
        var made = new ControllerRevision
        {
            Metadata = new ObjectMeta
            {
                Namespace = set.Metadata.Namespace,
                Name = $"{set.Metadata.Name}-{hash}",
                Labels = new Dictionary<string, string>(set.Spec.Template!.Metadata?.Labels ?? []) { [DaemonPods.HashLabel] = hash },
                Annotations = set.Metadata.Annotations is { Count: > 0 } annotations ? new(annotations) : null,
                OwnerReferences = [Owners.ControllerReference(set)],
            },
            Data = data,
            Revision = last + 1,
        };
        return new RevisionPlan(hash, made, null, forget);
    }

    internal static string HashOf(ControllerRevision revision) => revision.Metadata.Labels?.GetValueOrDefault(DaemonPods.HashLabel) ?? "";

    /// <summary>A strategic patch that puts the template back.</summary>
    private static JsonObject Data(DaemonSet set)
    {
        var template = JsonNode.Parse(KubeJson.Serialize(set))!["spec"]!["template"]!.DeepClone().AsObject();
        template["$patch"] = "replace";
        return new JsonObject { ["spec"] = new JsonObject { ["template"] = template } };
    }
}
