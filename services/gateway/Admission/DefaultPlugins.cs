using Mesh.Gateway.Authorization;
using Mesh.Gateway.Storage;

namespace Mesh.Gateway.Admission;

/// <summary>The plugins that are on by default, in Kubernetes' order.</summary>
internal static class DefaultPlugins
{
    /// <summary>All of them; the escalation check of RBAC goes with the validating half.</summary>
    public static IReadOnlyList<IAdmissionPlugin> Create(IObjectReader objects, RbacAuthorizer rbac, IAuthorizer authorizer, QuotaWriter quotas, TimeProvider time) =>
    [
        new NamespaceLifecycle(objects),
        new LimitRanger(objects),
        new ServiceAccountAdmission(objects),
        new NodeRestriction(objects),
        new TaintNodesByCondition(),
        new PriorityAdmission(objects),
        new DefaultTolerationSeconds(),
        new DefaultStorageClass(objects),
        new StorageObjectInUseProtection(),
        new ClaimResize(objects),
        new RuntimeClassAdmission(objects),
        new CertificateAdmission(authorizer),
        new DefaultIngressClass(objects),
        new EscalationCheck(rbac, authorizer),
        new ResourceQuotaAdmission(objects, quotas, time), // last: what is charged is nearly made
    ];
}
