using System.Net;

namespace Mesh.Security.Pki;

/// <summary>What the certificates of a cluster are made for. Defaults are kubeadm's.</summary>
public sealed record PkiOptions
{
    /// <summary>Name of this machine's node; in the node's user name and in the serving certificates.</summary>
    public required string NodeName { get; init; }

    /// <summary>Addresses at which this machine is reached; in the serving certificates beside loopback.</summary>
    public IReadOnlyList<IPAddress> Addresses { get; init; } = [];

    /// <summary>Further DNS names or IP addresses of the API server (a balancer, <c>--apiserver-cert-extra-sans</c>).</summary>
    public IReadOnlyList<string> ExtraNames { get; init; } = [];

    /// <summary>First address of the service range, which is the in-cluster address of the API server.</summary>
    public IPAddress ServiceAddress { get; init; } = IPAddress.Parse("10.96.0.1");

    /// <summary>DNS domain of the cluster.</summary>
    public string ClusterDomain { get; init; } = "cluster.local";

    /// <summary>Name of the cluster in kubeconfig files.</summary>
    public string ClusterName { get; init; } = "mesh";

    /// <summary>URL that kubeconfig files point at.</summary>
    public string ServerUrl { get; init; } = "https://127.0.0.1:6443";

    /// <summary>Life of a certificate authority.</summary>
    public TimeSpan AuthorityLife { get; init; } = TimeSpan.FromDays(3650);

    /// <summary>Life of every other certificate.</summary>
    public TimeSpan CertificateLife { get; init; } = TimeSpan.FromDays(365);

    /// <summary>A certificate with less life left than this is made anew by Ensure.</summary>
    public TimeSpan RenewBefore { get; init; } = TimeSpan.FromDays(60);

    /// <summary>Clock.</summary>
    public TimeProvider Time { get; init; } = TimeProvider.System;
}
