using Mesh.Api;
using Mesh.Api.Core.V1;
using Mesh.Api.Meta.V1;
using Mesh.Client;
using Mesh.Controllers.Framework;

namespace Mesh.Controllers.ServiceAccounts;

/// <summary>Deletes token secrets whose service account is gone, or is another of the same name.</summary>
internal sealed class TokenCleaner : KeyedController
{
    private const string TokenType = "kubernetes.io/service-account-token";
    private const string AccountName = "kubernetes.io/service-account.name";
    private const string AccountUid = "kubernetes.io/service-account.uid";
    private readonly IInformer<Secret> _secrets;
    private readonly IInformer<ServiceAccount> _accounts;

    internal TokenCleaner(ControllerContext context)
        : base(context, "serviceaccount-token-controller", "serviceaccount_tokens_secret")
    {
        _secrets = Watch<Secret>("type=" + TokenType);
        _secrets.AddHandler((_, now) =>
        {
            if (now is not null) Enqueue(ObjectKey.Of(now));
        });
        _accounts = Watch<ServiceAccount>();
        _accounts.AddHandler((_, now) =>
        {
            if (now is not null) return;
            foreach (var secret in _secrets.Lister.List()) Enqueue(ObjectKey.Of(secret));
        });
    }

    /// <summary>Whether the secret speaks for an account that does not exist.</summary>
    internal static bool IsStale(Secret secret, ServiceAccount? account)
    {
        var annotations = secret.Metadata.Annotations;
        if (annotations?.ContainsKey(AccountName) != true) return false;
        var uid = annotations.GetValueOrDefault(AccountUid);
        // Without a uid the secret is new: an account made after it is the usual order of manifests.
        return uid is { Length: > 0 } && account?.Metadata.Uid != uid;
    }

    protected override async Task<ReconcileResult> ReconcileAsync(ObjectKey key, CancellationToken ct)
    {
        if (_secrets.Lister.Get(key.Namespace, key.Name) is not { } secret) return ReconcileResult.Done;
        var name = secret.Metadata.Annotations?.GetValueOrDefault(AccountName) ?? "";
        if (!IsStale(secret, _accounts.Lister.Get(key.Namespace, name))) return ReconcileResult.Done;
        ServiceAccount? live = null;
        try
        {
            live = await Client.GetAsync<ServiceAccount>(key.Namespace, name, ct).ConfigureAwait(false);
        }
        catch (ApiException e) when (e.IsNotFound)
        {
            // as the cache says
        }

        if (!IsStale(secret, live)) return ReconcileResult.Done;
        try
        {
            var options = new DeleteOptions { Preconditions = new Mesh.Api.Meta.V1.Preconditions { Uid = secret.Metadata.Uid } };
            await Client.DeleteAsync<Secret>(key.Namespace, key.Name, options, ct).ConfigureAwait(false);
        }
        catch (ApiException e) when (e.IsNotFound || e.IsConflict)
        {
            // gone, or a new one of that name
        }

        return ReconcileResult.Done;
    }
}
