using System.Collections.Concurrent;
using Mesh.Caching;
using Mesh.Gateway.Storage;
using Mesh.Security;

namespace Mesh.Gateway.Authorization;

/// <summary>
/// RBAC over the watch cache. The compiled policy and the decisions taken with it live until a role or binding changes. Decisions that are dear to take
/// are shared with other gateways that have the very same roles and bindings.
/// </summary>
internal sealed class RbacAuthorizer(IObjectReader objects, SharedDecisions shared) : IAuthorizer, IDisposable
{
    private const int MaxRemembered = 16384;
    private readonly SemaphoreSlim _compiling = new(1, 1);
    private volatile State? _state;

    /// <inheritdoc/>
    public async ValueTask<AuthorizationResult> AuthorizeAsync(AuthorizationAttributes attributes, CancellationToken ct)
    {
        var state = await CurrentAsync(ct);
        var key = new DecisionKey(
            attributes.User.Name, attributes.User.Groups, attributes.Verb, attributes.Group, attributes.Resource,
            attributes.Subresource, attributes.Namespace, attributes.Name, attributes.IsResourceRequest ? "" : attributes.Path);
        if (state.Decisions.TryGetValue(key, out var known)) return known;
        var result = await shared.DecideAsync(state.Policy, attributes, ct);
        state.Remember(key, result);
        return result;
    }

    /// <summary>The policy as it is now.</summary>
    public async ValueTask<RbacPolicy> PolicyAsync(CancellationToken ct) => (await CurrentAsync(ct)).Policy;

    /// <inheritdoc/>
    public void Dispose() => _compiling.Dispose();

    private async ValueTask<State> CurrentAsync(CancellationToken ct)
    {
        var stamp = await StampAsync(ct);
        if (_state is { } state && state.Stamp == stamp) return state;
        await _compiling.WaitAsync(ct);
        try
        {
            stamp = await StampAsync(ct);
            if (_state is { } done && done.Stamp == stamp) return done;
            var policy = new RbacPolicy(
                await objects.ListAsync(RbacResources.Roles, null, ct),
                await objects.ListAsync(RbacResources.ClusterRoles, null, ct),
                await objects.ListAsync(RbacResources.RoleBindings, null, ct),
                await objects.ListAsync(RbacResources.ClusterRoleBindings, null, ct));
            return _state = new State(stamp, policy, new ConcurrentDictionary<DecisionKey, AuthorizationResult>());
        }
        finally
        {
            _compiling.Release();
        }
    }

    // Taken before the lists are read: a change in between makes the stamp old, and the policy is compiled again.
    private async ValueTask<(long, long, long, long)> StampAsync(CancellationToken ct) => (
        await objects.ChangedAtAsync(RbacResources.Roles, ct),
        await objects.ChangedAtAsync(RbacResources.ClusterRoles, ct),
        await objects.ChangedAtAsync(RbacResources.RoleBindings, ct),
        await objects.ChangedAtAsync(RbacResources.ClusterRoleBindings, ct));

    // Groups compare by reference: authenticators hand out the same list for the same credentials. Another list costs an evaluation, never a wrong answer.
    private readonly record struct DecisionKey(
        string User, IReadOnlyList<string> Groups, string Verb, string Group, string Resource, string Subresource, string Namespace, string Name, string Path);

    private sealed record State((long, long, long, long) Stamp, RbacPolicy Policy, ConcurrentDictionary<DecisionKey, AuthorizationResult> Decisions)
    {
        private int _remembered;

        /// <summary>Keeps a decision, and lets go of all when there are too many. Counted here: the dictionary's own Count takes every lock it has.</summary>
        public void Remember(DecisionKey key, AuthorizationResult result)
        {
            if (Interlocked.Increment(ref _remembered) > MaxRemembered)
            {
                Interlocked.Exchange(ref _remembered, 0);
                Decisions.Clear();
            }

            Decisions[key] = result;
        }
    }
}
