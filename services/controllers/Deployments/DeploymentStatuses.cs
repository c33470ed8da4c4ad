using Mesh.Api.Apps.V1;
using static Mesh.Controllers.Deployments.DeploymentFacts;

namespace Mesh.Controllers.Deployments;

/// <summary>What the decision knows beyond the objects: a set is made in this step, or could not be made.</summary>
internal readonly record struct StatusHints(bool CreatedNow = false, string? CreateError = null);

/// <summary>Status and conditions of deployments, in Kubernetes' words.</summary>
internal static class DeploymentStatuses
{
    internal static DeploymentStatus Of(Deployment d, IReadOnlyList<ReplicaSet> sets, ReplicaSet? current, DateTime now, StatusHints hints)
    {
        var known = hints.CreatedNow ? null : current;
        var available = sets.Sum(rs => rs.Status?.AvailableReplicas ?? 0);
        var total = sets.Sum(Replicas);
        var status = new DeploymentStatus
        {
            ObservedGeneration = d.Metadata.Generation,
            Replicas = sets.Sum(rs => rs.Status?.Replicas ?? 0),
            UpdatedReplicas = known?.Status?.Replicas ?? 0,
            ReadyReplicas = sets.Sum(rs => rs.Status?.ReadyReplicas ?? 0),
            AvailableReplicas = available,
            UnavailableReplicas = Math.Max(0, total - available),
            TerminatingReplicas = sets.Sum(rs => rs.Status?.TerminatingReplicas ?? 0),
            CollisionCount = d.Status?.CollisionCount,
            Conditions = [.. d.Status?.Conditions ?? []],
        };
        var enough = available >= MinAvailable(d);
        if (IsRolling(d) || total > 0 || Replicas(d) == 0 || sets.Count > 0)
        {
            Set(status, now, "Available", enough, enough ? "MinimumReplicasAvailable" : "MinimumReplicasUnavailable",
                enough ? "Deployment has minimum availability." : "Deployment does not have minimum availability.");
        }

        Progress(d, status, current, hints, now);
        Failure(status, sets, now);
        return status;
    }

    /// <summary>When the progress deadline would pass.</summary>
    internal static TimeSpan? Recheck(Deployment d, DeploymentStatus status, DateTime now)
    {
        if (d.Spec?.ProgressDeadlineSeconds is not { } deadline || deadline == int.MaxValue || IsComplete(d, status) || d.Spec.Paused == true) return null;
        if (Find(status, "Progressing") is not { Status: "True", Reason: not "NewReplicaSetAvailable" } c) return null;
        var due = (c.LastUpdateTime ?? now).AddSeconds(deadline + 1) - now;
        return due < TimeSpan.FromSeconds(1) ? TimeSpan.FromSeconds(1) : due;
    }

    internal static DeploymentCondition? Find(DeploymentStatus? status, string type) => status?.Conditions?.Find(c => c.Type == type);

    /// <summary>Sets a condition: unchanged status and reason leave it (and its times) alone; an unchanged status keeps its transition time.</summary>
    internal static void Set(DeploymentStatus status, DateTime now, string type, bool? value, string reason, string message, bool refresh = false)
    {
        var text = value switch { true => "True", false => "False", null => "Unknown" };
        var before = Find(status, type);
        if (before is not null && before.Status == text && before.Reason == reason && !refresh) return;
        status.Conditions!.RemoveAll(c => c.Type == type);
        status.Conditions.Add(new DeploymentCondition
        {
            Type = type,
            Status = text,
            Reason = reason,
            Message = message,
            LastUpdateTime = now,
            LastTransitionTime = before?.Status == text ? before.LastTransitionTime : now,
        });
    }

    private static void Progress(Deployment d, DeploymentStatus status, ReplicaSet? current, StatusHints hints, DateTime now)
    {
        var before = Find(d.Status, "Progressing");
        if (d.Spec?.ProgressDeadlineSeconds is null or int.MaxValue)
        {
            status.Conditions!.RemoveAll(c => c.Type == "Progressing");
            return;
        }

        if (hints.CreateError is { } error)
        {
            Set(status, now, "Progressing", false, "ReplicaSetCreateError", error);
            return;
        }

        if (d.Spec.Paused == true)
        {
            if (before?.Reason != "ProgressDeadlineExceeded") Set(status, now, "Progressing", null, "DeploymentPaused", "Deployment is paused");
            return;
        }

        if (before?.Reason == "DeploymentPaused")
        {
            Set(status, now, "Progressing", null, "DeploymentResumed", "Deployment is resumed");
            return;
        }

        var what = current is null ? $"Deployment \"{d.Metadata.Name}\"" : $"ReplicaSet \"{current.Metadata.Name}\"";
        if (hints.CreatedNow)
        {
            Set(status, now, "Progressing", true, "NewReplicaSetCreated", $"Created new replica set \"{current!.Metadata.Name}\"");
            return;
        }

        // A finished roll-out stays finished; only a new template starts another.
        var steady = (status.Replicas ?? 0) == (status.UpdatedReplicas ?? 0) && before?.Reason == "NewReplicaSetAvailable";
        if (steady) return;
        if (IsComplete(d, status))
        {
            Set(status, now, "Progressing", true, "NewReplicaSetAvailable", what + " has successfully progressed.");
        }
        else if (HasProgressed(d.Status, status))
        {
            // Every step forward moves the deadline, so the update time is renewed.
            Set(status, now, "Progressing", true, "ReplicaSetUpdated", what + " is progressing.", refresh: true);
        }
        else if (before is null)
        {
            if (current is not null) Set(status, now, "Progressing", true, "FoundNewReplicaSet", $"Found new replica set \"{current.Metadata.Name}\"");
        }
        else if (TimedOut(d, before, now))
        {
            Set(status, now, "Progressing", false, "ProgressDeadlineExceeded", what + " has timed out progressing.");
        }
    }

    private static bool HasProgressed(DeploymentStatus? before, DeploymentStatus now)
    {
        var oldBefore = (before?.Replicas ?? 0) - (before?.UpdatedReplicas ?? 0);
        var oldNow = (now.Replicas ?? 0) - (now.UpdatedReplicas ?? 0);
        return (now.UpdatedReplicas ?? 0) > (before?.UpdatedReplicas ?? 0) || oldNow < oldBefore
            || (now.ReadyReplicas ?? 0) > (before?.ReadyReplicas ?? 0) || (now.AvailableReplicas ?? 0) > (before?.AvailableReplicas ?? 0);
    }

    private static bool TimedOut(Deployment d, DeploymentCondition before, DateTime now)
    {
        if (before.Reason == "NewReplicaSetAvailable") return false;
        if (before.Reason == "ProgressDeadlineExceeded") return true;
        return (before.LastUpdateTime ?? now).AddSeconds(d.Spec!.ProgressDeadlineSeconds!.Value) < now;
    }

    private static void Failure(DeploymentStatus status, IReadOnlyList<ReplicaSet> sets, DateTime now)
    {
        var failed = sets.SelectMany(rs => rs.Status?.Conditions ?? []).FirstOrDefault(c => c is { Type: "ReplicaFailure", Status: "True" });
        if (failed is null) status.Conditions!.RemoveAll(c => c.Type == "ReplicaFailure");
        else Set(status, now, "ReplicaFailure", true, failed.Reason ?? "", failed.Message ?? "");
    }
}
