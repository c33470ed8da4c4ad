using Mesh.Controllers.Certificates;
using Mesh.Controllers.CronJobs;
using Mesh.Controllers.DaemonSets;
using Mesh.Controllers.Deployments;
using Mesh.Controllers.Disruption;
using Mesh.Controllers.Endpoints;
using Mesh.Controllers.Framework;
using Mesh.Controllers.GarbageCollection;
using Mesh.Controllers.Jobs;
using Mesh.Controllers.Namespaces;
using Mesh.Controllers.Nodes;
using Mesh.Controllers.PodGc;
using Mesh.Controllers.Quotas;
using Mesh.Controllers.Rbac;
using Mesh.Controllers.ServiceAccounts;
using Mesh.Controllers.Volumes;
using Mesh.Controllers.Workloads;
using Mesh.Security.Pki;

namespace Mesh.Controllers;

/// <summary>All controllers by name.</summary>
public static class ControllerSet
{
    /// <summary>Makes the controllers that the options ask for.</summary>
    /// <param name="context">What they work with.</param>
    /// <param name="rootCaPem">Text of the CA to publish; null: the publisher does not run.</param>
    public static IReadOnlyList<IController> Create(ControllerContext context, string? rootCaPem)
    {
        ArgumentNullException.ThrowIfNull(context);
        var all = new List<(string Name, Func<IController> Make)>
        {
            ("replicaset-controller", () => new ReplicaSetController(context)),
            ("replicationcontroller-controller", () => new ReplicationControllerController(context)),
            ("deployment-controller", () => new DeploymentController(context)),
            ("daemonset-controller", () => new DaemonSetController(context)),
            ("job-controller", () => new JobController(context)),
            ("cronjob-controller", () => new CronJobController(context)),
            ("ttl-after-finished-controller", () => new TtlAfterFinishedController(context)),
            ("resourcequota-controller", () => new ResourceQuotaController(context)),
            ("disruption-controller", () => new DisruptionController(context)),
            ("stale-pod-disruption-controller", () => new StaleDisruptionController(context)),
            ("endpoints-controller", () => new EndpointsController(context)),
            ("endpointslice-controller", () => new EndpointSliceController(context)),
            ("endpointslice-mirroring-controller", () => new EndpointSliceMirroringController(context)),
            ("namespace-controller", () => new NamespaceController(context)),
            ("serviceaccount-controller", () => new ServiceAccountController(context)),
            ("serviceaccount-token-controller", () => new TokenCleaner(context)),
            ("node-lifecycle-controller", () => new NodeLifecycleController(context)),
            ("taint-eviction-controller", () => new TaintEvictionController(context)),
            ("garbage-collector-controller", () => new GarbageCollector(context)),
            ("pod-garbage-collector-controller", () => new PodGcController(context)),
            ("persistentvolume-protection-controller", () => new VolumeProtectionController(context)),
            ("persistentvolumeclaim-protection-controller", () => new ClaimProtectionController(context)),
            ("certificatesigningrequest-approving-controller", () => new ApprovingController(context)),
            ("certificatesigningrequest-cleaner-controller", () => new CleaningController(context)),
            ("clusterrole-aggregation-controller", () => new ClusterRoleAggregationController(context)),
        };
        if (rootCaPem is not null) all.Add(("root-ca-certificate-publisher-controller", () => new RootCaPublisher(context, rootCaPem)));
        if (context.Options.AllocateNodeCidrs) all.Add(("node-ipam-controller", () => new NodeIpamController(context)));
        if (context.Options is { ClusterSigningCertFile: { Length: > 0 } cert, ClusterSigningKeyFile: { Length: > 0 } key })
            all.Add(("certificatesigningrequest-signing-controller", () => new SigningController(context, PemFiles.Load(new CertificatePath(cert, key)))));
        return [.. all.Where(c => context.Options.Runs(c.Name)).Select(c => c.Make())];
    }
}
