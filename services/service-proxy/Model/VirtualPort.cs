namespace Mesh.ServiceProxy.Model;

/// <summary>Transport protocol of a service port (Service.spec.ports[].protocol).</summary>
internal enum Transport
{
    Tcp,
    Udp,
}

/// <summary>Where a connection may end: a pod's address and port.</summary>
internal readonly record struct Backend(string Address, int Port);

/// <summary>
/// Everything the data plane must know of one port of one Service. Equality is by value, so that a difference of two
/// compilations is a comparison of these.
/// </summary>
internal sealed record VirtualPort
{
    /// <summary>namespace/service:port, unique and stable over the life of the port.</summary>
    public required string Name { get; init; }

    public required Transport Transport { get; init; }

    public required int Port { get; init; }

    /// <summary>0 when the service has none.</summary>
    public int NodePort { get; init; }

    /// <summary>Addresses reached under the internal traffic policy: the cluster IPs.</summary>
    public EquatableList<string> ClusterIps { get; init; } = [];

    /// <summary>Addresses reached under the external traffic policy: externalIPs and load-balancer IPs.</summary>
    public EquatableList<string> ExternalIps { get; init; } = [];

    /// <summary>Backends of the cluster IPs, sorted.</summary>
    public EquatableList<Backend> Internal { get; init; } = [];

    /// <summary>Backends of node ports and external IPs, sorted.</summary>
    public EquatableList<Backend> External { get; init; } = [];

    /// <summary>True when a policy of Local leaves this node without a backend although the service has some elsewhere: drop, do not refuse.</summary>
    public bool DropInternal { get; init; }

    /// <inheritdoc cref="DropInternal"/>
    public bool DropExternal { get; init; }

    /// <summary>externalTrafficPolicy: Local keeps the client's address; Cluster masquerades.</summary>
    public bool PreserveClientIp { get; init; }

    /// <summary>Seconds of ClientIP affinity; 0 is none.</summary>
    public int AffinitySeconds { get; init; }
}
