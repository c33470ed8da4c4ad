using Mesh.Api;
using Mesh.Api.Core.V1;
using Mesh.Api.Meta.V1;
using Mesh.Client;
using Mesh.Controllers.Framework;

namespace Mesh.Controllers.ServiceAccounts;

/// <summary>Every living namespace has the ConfigMap kube-root-ca.crt, so that pods can trust the gateway.</summary>
internal sealed class RootCaPublisher : KeyedController
{
    internal const string MapName = "kube-root-ca.crt";
    private const string Description = "kubernetes.io/description";
    private const string DescriptionText =
        "Contains a CA bundle that can be used to verify the kube-apiserver when using internal endpoints such as the internal service IP or "
        + "kubernetes.default.svc. No other usage is guaranteed across distributions of Kubernetes clusters.";

    private readonly IInformer<Namespace> _namespaces;
    private readonly IInformer<ConfigMap> _maps;
    private readonly string _ca;

    internal RootCaPublisher(ControllerContext context, string caPem)
        : base(context, "root-ca-certificate-publisher-controller", "root_ca_cert_publisher")
    {
        _ca = caPem;
        _namespaces = WatchPrimary<Namespace>();
        _maps = Watch<ConfigMap>("metadata.name=" + MapName);
        _maps.AddHandler((old, now) =>
        {
            if (old is not null) Enqueue(new ObjectKey(null, old.Metadata.Namespace!));
        });
    }

    protected override async Task<ReconcileResult> ReconcileAsync(ObjectKey key, CancellationToken ct)
    {
        if (_namespaces.Lister.Get(null, key.Name) is not { Metadata.DeletionTimestamp: null }) return ReconcileResult.Done;
        var present = _maps.Lister.Get(key.Name, MapName);
        if (present?.Data is { Count: 1 } data && data.GetValueOrDefault("ca.crt") == _ca && present.Metadata.Annotations?.ContainsKey(Description) == true)
            return ReconcileResult.Done;
        var wanted = present?.Clone() ?? new ConfigMap { Metadata = new ObjectMeta { Namespace = key.Name, Name = MapName } };
        (wanted.Metadata.Annotations ??= [])[Description] = DescriptionText;
        wanted.Data = new Dictionary<string, string> { ["ca.crt"] = _ca };
        try
        {
            if (present is null) await Client.CreateAsync(wanted, ct).ConfigureAwait(false);
            else await Client.UpdateAsync(wanted, ct).ConfigureAwait(false);
        }
        catch (ApiException e) when (e.IsAlreadyExists || Workloads.PodMaker.IsTerminatingNamespace(e))
        {
            // there (our own earlier write), or no longer needed
        }

        return ReconcileResult.Done;
    }
}
