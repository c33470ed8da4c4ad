using Mesh.Api;
using Mesh.Api.Core.V1;
using Mesh.Api.Selectors;
using Mesh.Client;
using Mesh.Controllers.Framework;

namespace Mesh.Controllers.Workloads;

/// <summary>Which objects an owner has, is to adopt and is to let go.</summary>
internal readonly record struct Claims<T>(IReadOnlyList<T> Owned, IReadOnlyList<T> Adopt, IReadOnlyList<T> Release);

/// <summary>Adoption and release by controller reference and selector.</summary>
internal static class ClaimDecision
{
    /// <summary>
    /// Own what is ours and matches; let go what is ours and does not match; adopt what is nobody's and matches. An owner that
    /// is being deleted neither adopts nor lets go, and nothing that is being deleted is adopted.
    /// </summary>
    internal static Claims<T> Decide<T>(IKubeObject owner, Selector selector, IEnumerable<T> candidates)
        where T : IKubeObject
    {
        List<T> owned = [], adopt = [], release = [];
        var deleting = owner.Metadata.DeletionTimestamp is not null;
        foreach (var obj in candidates)
        {
            var matches = selector.Matches(obj.Metadata.Labels);
            if (Owners.ControllerOf(obj) is { } controller)
            {
                if (controller.Uid != owner.Metadata.Uid) continue;
                if (matches || deleting) owned.Add(obj);
                else if (obj.Metadata.DeletionTimestamp is null) release.Add(obj);
            }
            else if (matches && !deleting && obj.Metadata.DeletionTimestamp is null)
            {
                adopt.Add(obj);
            }
        }

        return new Claims<T>(owned, adopt, release);
    }

    /// <summary>Performs adoptions and releases; gives what is owned afterwards. finalizer: what an adopted object gets besides its owner.</summary>
    internal static async Task<List<T>> ActAsync<TOwner, T>(IKubeClient client, TOwner owner, Claims<T> claims, CancellationToken ct, string? finalizer = null)
        where TOwner : class, IKubeObject<TOwner>
        where T : class, IKubeObject<T>
    {
        var owned = new List<T>(claims.Owned);
        // Before the first adoption the owner is read fresh: a cache may show one that is already being deleted.
        if (claims.Adopt.Count > 0 && await StillLivesAsync(client, owner, ct).ConfigureAwait(false))
        {
            foreach (var obj in claims.Adopt)
            {
                if (await PatchAsync(client, obj, Owners.AdoptPatch(owner, obj, finalizer), ct).ConfigureAwait(false) is { } adopted) owned.Add(adopted);
            }
        }

        foreach (var obj in claims.Release) await PatchAsync(client, obj, Owners.ReleasePatch(owner, obj), ct).ConfigureAwait(false);
        return owned;
    }

    private static async Task<bool> StillLivesAsync<T>(IKubeClient client, T owner, CancellationToken ct)
        where T : class, IKubeObject<T>
    {
        try
        {
            var fresh = await client.GetAsync<T>(owner.Metadata.Namespace, owner.Metadata.Name!, ct).ConfigureAwait(false);
            return fresh.Metadata.Uid == owner.Metadata.Uid && fresh.Metadata.DeletionTimestamp is null;
        }
        catch (ApiException e) when (e.IsNotFound)
        {
            return false;
        }
    }

    private static async Task<T?> PatchAsync<T>(IKubeClient client, T obj, byte[] patch, CancellationToken ct)
        where T : class, IKubeObject<T>
    {
        try
        {
            return await client.PatchAsync<T>(obj.Metadata.Namespace, obj.Metadata.Name!, PatchType.Strategic, patch, ct: ct).ConfigureAwait(false);
        }
        catch (ApiException e) when (e.IsNotFound || e.IsInvalid || e.IsConflict)
        {
            return null; // gone, replaced by a namesake, or adopted by another meanwhile
        }
    }
}

/// <summary>Index functions on pods that several controllers share.</summary>
internal static class PodIndexes
{
    internal const string Controller = "controllerUid";
    internal const string Orphans = "orphansOfNamespace";
    internal const string Node = "node";

    internal static void Add(IInformer<Pod> pods)
    {
        pods.AddIndex(Controller, p => Owners.ControllerOf(p)?.Uid is { } uid ? [uid] : []);
        pods.AddIndex(Orphans, p => Owners.ControllerOf(p) is null ? [p.Metadata.Namespace ?? ""] : []);
    }

    internal static void AddNode(IInformer<Pod> pods) => pods.AddIndex(Node, p => p.Spec?.NodeName is { Length: > 0 } node ? [node] : []);

    /// <summary>The pods an owner may have to do with: its own, and the namespace's orphans.</summary>
    internal static IEnumerable<Pod> Candidates(ILister<Pod> pods, IKubeObject owner) =>
        pods.ByIndex(Controller, owner.Metadata.Uid ?? "").Concat(pods.ByIndex(Orphans, owner.Metadata.Namespace ?? ""));
}
