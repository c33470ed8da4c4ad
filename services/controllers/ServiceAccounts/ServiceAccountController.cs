using Mesh.Api;
using Mesh.Api.Core.V1;
using Mesh.Api.Meta.V1;
using Mesh.Client;
using Mesh.Controllers.Framework;

namespace Mesh.Controllers.ServiceAccounts;

/// <summary>Every living namespace has the service account "default".</summary>
internal sealed class ServiceAccountController : KeyedController
{
    private const string Default = "default";
    private readonly IInformer<Namespace> _namespaces;
    private readonly IInformer<ServiceAccount> _accounts;

    internal ServiceAccountController(ControllerContext context)
        : base(context, "serviceaccount-controller", "serviceaccount")
    {
        _namespaces = WatchPrimary<Namespace>();
        _accounts = Watch<ServiceAccount>();
        _accounts.AddHandler((old, now) =>
        {
            if (now is null && old!.Metadata.Name == Default) Enqueue(new ObjectKey(null, old.Metadata.Namespace!));
        });
    }

    protected override async Task<ReconcileResult> ReconcileAsync(ObjectKey key, CancellationToken ct)
    {
        if (_namespaces.Lister.Get(null, key.Name) is not { Metadata.DeletionTimestamp: null } || _accounts.Lister.Get(key.Name, Default) is not null)
            return ReconcileResult.Done;
        try
        {
            await Client.CreateAsync(new ServiceAccount { Metadata = new ObjectMeta { Namespace = key.Name, Name = Default } }, ct).ConfigureAwait(false);
        }
        catch (ApiException e) when (e.IsAlreadyExists || Workloads.PodMaker.IsTerminatingNamespace(e))
        {
            // there, or no longer needed
        }

        return ReconcileResult.Done;
    }
}
