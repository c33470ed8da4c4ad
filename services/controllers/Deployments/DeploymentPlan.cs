using Mesh.Api.Apps.V1;

namespace Mesh.Controllers.Deployments;

/// <summary>One act on a replica set.</summary>
internal abstract record DeploymentAction;

/// <summary>Make the set for the deployment's template.</summary>
internal sealed record CreateSet(ReplicaSet Set) : DeploymentAction;

/// <summary>Write the set; when From is given the number of pods changes and an event says so.</summary>
internal sealed record UpdateSet(ReplicaSet Set, int? From) : DeploymentAction;

/// <summary>Delete a set that the history has no room for.</summary>
internal sealed record DeleteSet(ReplicaSet Set) : DeploymentAction;

/// <summary>What to do now. Status is computed from what there is, so a plan that acts reports before its acts; the acts cause the next look.</summary>
/// <param name="Actions">Acts on sets, in order.</param>
/// <param name="Revision">The revision annotation the deployment is to carry; null leaves it.</param>
/// <param name="Status">The status to report.</param>
/// <param name="Recheck">When time alone may change the decision (progress deadline).</param>
internal sealed record DeploymentPlan(IReadOnlyList<DeploymentAction> Actions, string? Revision, DeploymentStatus Status, TimeSpan? Recheck);
