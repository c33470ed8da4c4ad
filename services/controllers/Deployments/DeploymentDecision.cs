using Mesh.Api.Apps.V1;
using Mesh.Api.Core.V1;
using Mesh.Api.Meta.V1;
using Mesh.Controllers.Framework;
using static Mesh.Controllers.Deployments.DeploymentFacts;

namespace Mesh.Controllers.Deployments;

/// <summary>
/// The decision of deployments, one step at a time; every step's effect brings the next look.
/// 1. Find the set of the present template (or plan it) and give it its revision.
/// 2. Paused, or the wanted number changed: scale all sets in proportion, and nothing else.
/// 3. Otherwise roll (see <see cref="Rolling"/>) or recreate.
/// 4. Complete: delete sets the history has no room for.
/// 5. Status and conditions (see <see cref="DeploymentStatuses"/>).
/// </summary>
internal static class DeploymentDecision
{
    /// <param name="d">The deployment.</param>
    /// <param name="sets">The sets it controls.</param>
    /// <param name="oldPodsRun">Whether pods of old sets still exist (only Recreate asks).</param>
    /// <param name="now">The time, UTC.</param>
    internal static DeploymentPlan Decide(Deployment d, IReadOnlyList<ReplicaSet> sets, bool oldPodsRun, DateTime now)
    {
        var actions = new List<DeploymentAction>();
        var current = FindNew(d, sets);
        var old = Oldest(sets.Where(rs => rs != current)).ToList();
        var paused = d.Spec?.Paused == true;
        string? revision = null;
        var createdNow = false;

        if (d.Metadata.DeletionTimestamp is not null)
            return new DeploymentPlan([], null, DeploymentStatuses.Of(d, sets, current, now, new StatusHints()), null);

        var scaling = IsScalingEvent(d, sets);
        if (current is not null)
        {
            var synced = WithRevision(d, current, old, out revision);
            if (synced is not null)
            {
                actions.Add(new UpdateSet(synced, null));
                sets = [.. sets.Select(rs => rs == current ? synced : rs)];
                current = synced;
            }
        }

        if (paused || scaling)
        {
            actions.AddRange(ProportionalScaling.Scale(d, current, old));
        }
        else if (IsRolling(d))
        {
            if (current is null)
            {
                current = NewSet(d, old, Rolling.NewReplicas(d, sets, 0));
                (createdNow, revision) = (true, current.Metadata.Annotations![Revision]);
                actions.Add(new CreateSet(current));
            }
            else
            {
                actions.AddRange(Rolling.Step(d, current, old, sets));
            }
        }
        else
        {
            var scaleDown = old.Where(rs => Replicas(rs) > 0).Select(rs => Scaled(d, rs, 0)).ToList();
            actions.AddRange(scaleDown);
            if (scaleDown.Count == 0 && !oldPodsRun)
            {
                if (current is null)
                {
                    current = NewSet(d, old, Replicas(d));
                    (createdNow, revision) = (true, current.Metadata.Annotations![Revision]);
                    actions.Add(new CreateSet(current));
                }
                else if (Replicas(current) != Replicas(d))
                {
                    actions.Add(Scaled(d, current, Replicas(d)));
                }
            }
        }

        var status = DeploymentStatuses.Of(d, sets, current, now, new StatusHints(createdNow));
        if (!paused && !scaling && IsComplete(d, status)) actions.AddRange(History(d, old));
        else if (paused) actions.AddRange(History(d, old));
        return new DeploymentPlan(actions, revision, status, DeploymentStatuses.Recheck(d, status, now));
    }

    /// <summary>A set scaled, as an action; keeps the annotations that say for what size it was scaled.</summary>
    internal static UpdateSet Scaled(Deployment d, ReplicaSet rs, int replicas)
    {
        var next = rs.Clone();
        SetReplicasAnnotations(next, d);
        next.Spec!.Replicas = replicas;
        return new UpdateSet(next, Replicas(rs) == replicas ? null : Replicas(rs));
    }

    /// <summary>The wanted number is not the one the sets were last scaled for.</summary>
    private static bool IsScalingEvent(Deployment d, IReadOnlyList<ReplicaSet> sets) =>
        sets.Any(rs => Replicas(rs) > 0 && IntAnnotation(rs, DesiredReplicas) is { } desired && desired != Replicas(d));

    /// <summary>The present set with the highest revision and the deployment's annotations; null when it already has them.</summary>
    private static ReplicaSet? WithRevision(Deployment d, ReplicaSet current, List<ReplicaSet> old, out string revision)
    {
        var wanted = old.Select(RevisionOf).DefaultIfEmpty(0).Max() + 1;
        var next = current.Clone();
        var annotations = next.Metadata.Annotations ??= [];
        var changed = false;
        var has = RevisionOf(current);
        if (has < wanted)
        {
            if (annotations.TryGetValue(Revision, out var before))
                annotations[RevisionHistory] = annotations.TryGetValue(RevisionHistory, out var history) && history.Length > 0 ? history + "," + before : before;
            annotations[Revision] = Text(wanted);
            changed = true;
        }

        foreach (var (name, value) in CopiedAnnotations(d))
        {
            if (annotations.GetValueOrDefault(name) == value) continue;
            annotations[name] = value;
            changed = true;
        }

        if ((next.Spec!.MinReadySeconds ?? 0) != (d.Spec?.MinReadySeconds ?? 0))
        {
            next.Spec.MinReadySeconds = d.Spec?.MinReadySeconds;
            changed = true;
        }

        revision = annotations[Revision];
        return changed ? next : null;
    }

    private static ReplicaSet NewSet(Deployment d, List<ReplicaSet> old, int replicas)
    {
        var template = d.Spec?.Template?.Clone() ?? new PodTemplateSpec();
        var hash = TemplateHash.Compute(template, d.Status?.CollisionCount);
        template.Metadata ??= new ObjectMeta();
        (template.Metadata.Labels ??= [])[TemplateHash.Label] = hash;
        var selector = d.Spec?.Selector?.Clone() ?? new LabelSelector();
        (selector.MatchLabels ??= [])[TemplateHash.Label] = hash;
        var set = new ReplicaSet
        {
            Metadata = new ObjectMeta
            {
                Name = d.Metadata.Name + "-" + hash,
                Namespace = d.Metadata.Namespace,
                OwnerReferences = [Owners.ControllerReference(d)],
                Labels = new(template.Metadata.Labels),
                Annotations = new(CopiedAnnotations(d)),
            },
            Spec = new ReplicaSetSpec
            {
                Replicas = replicas,
                MinReadySeconds = d.Spec?.MinReadySeconds,
                Selector = selector,
                Template = template,
            },
        };
        set.Metadata.Annotations[Revision] = Text(old.Select(RevisionOf).DefaultIfEmpty(0).Max() + 1);
        SetReplicasAnnotations(set, d);
        return set;
    }

    /// <summary>Empty, settled old sets past the limit, lowest revision first.</summary>
    private static IEnumerable<DeleteSet> History(Deployment d, List<ReplicaSet> old)
    {
        if (d.Spec?.RevisionHistoryLimit is { } limit and not int.MaxValue)
        {
            var kept = old.Where(rs => rs.Metadata.DeletionTimestamp is null).ToList();
            return kept.OrderBy(RevisionOf).Take(Math.Max(0, kept.Count - limit))
                .Where(rs => (rs.Status?.Replicas ?? 0) == 0 && Replicas(rs) == 0 && (rs.Metadata.Generation ?? 0) <= (rs.Status?.ObservedGeneration ?? 0))
                .Select(rs => new DeleteSet(rs));
        }

        return [];
    }
}
