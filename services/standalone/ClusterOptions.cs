using System.ComponentModel;
using System.Globalization;
using System.Net;
using System.Net.NetworkInformation;
using System.Net.Sockets;
using System.Text.Json;
using System.Text.Json.Serialization;
using Mesh.Hosting;

namespace Mesh.Standalone;

/// <summary>What one single-node cluster is: written once by <c>prepare</c>, read by every later command on the same data directory.</summary>
internal sealed class ClusterOptions
{
    [Description("directory of everything the cluster keeps: store, certificates, containers, logs")]
    public string DataDir { get; set; } = ".mesh";

    [Description("name of the node")]
    public string NodeName { get; set; } = Environment.MachineName.ToLowerInvariant();

    [Description("address of the node; default: that of the interface with the default route")]
    public string NodeIp { get; set; } = "";

    [Description("containerd, or hollow for simulated containers")]
    public string Runtime { get; set; } = "containerd";

    [Description("addresses of services")]
    public string ServiceCidr { get; set; } = "10.96.0.0/16";

    [Description("addresses of pods")]
    public string PodCidr { get; set; } = "10.244.0.0/16";

    [Description("domain of the cluster")]
    public string ClusterDomain { get; set; } = "cluster.local";

    [Description("port of the gateway (REST and gRPC)")]
    public int ApiPort { get; set; } = 6443;

    [Description("port of the store (etcd v3)")]
    public int StorePort { get; set; } = 2379;

    [Description("port of the node agent")]
    public int NodePort { get; set; } = 10250;

    [Description("port of the cluster DNS on the node; pods reach it at the kube-dns Service")]
    public int DnsPort { get; set; } = 10053;

    [Description("Kafka brokers (host:port,...): the change feed goes there and shards are members of its consumer groups; default: a bus in memory")]
    public string Kafka { get; set; } = "";

    [Description("API versions on or off: api/beta=true, GROUP/VERSION=true, GROUP/VERSION/RESOURCE=false, ...; by commas")]
    public string RuntimeConfig { get; set; } = "";

    [Description("etcd v3 endpoints (https://host:2379,...) that keep the cluster's state; default: the store of the cluster itself")]
    public string Store { get; set; } = "";

    [Description("authorities of the endpoints' certificates, for --store")]
    public string StoreCaFile { get; set; } = "";

    [Description("client certificate for --store")]
    public string StoreCertFile { get; set; } = "";

    [Description("key of the client certificate for --store")]
    public string StoreKeyFile { get; set; } = "";

    /// <summary>The node's address was not given: it is looked up at each start, as the machine's may change.</summary>
    [JsonInclude]
    internal bool NodeIpDetected { get; set; }

    /// <summary>First address of the service range.</summary>
    public IPAddress ServiceAddress(int offset)
    {
        var bytes = IPNetwork.Parse(ServiceCidr).BaseAddress.GetAddressBytes();
        var value = System.Buffers.Binary.BinaryPrimitives.ReadUInt32BigEndian(bytes) + (uint)offset;
        System.Buffers.Binary.BinaryPrimitives.WriteUInt32BigEndian(bytes, value);
        return new IPAddress(bytes);
    }

    /// <summary>Checks what can be checked before anything is made, and fills in the node's address.</summary>
    /// <exception cref="SettingsException">An option is wrong.</exception>
    public void Complete()
    {
        DataDir = Path.GetFullPath(DataDir);
        if (Runtime is not ("containerd" or "hollow"))
            throw new SettingsException($"--runtime {Runtime} is neither containerd nor hollow");
        foreach (var (name, value) in ((string, string)[])[("--service-cidr", ServiceCidr), ("--pod-cidr", PodCidr)])
        {
            if (!IPNetwork.TryParse(value, out var network) || network.BaseAddress.AddressFamily != AddressFamily.InterNetwork)
                throw new SettingsException($"{name} {value} is not an IPv4 range such as 10.96.0.0/16");
        }

        if (Mesh.Api.Names.Dns1123Subdomain(NodeName) is { Count: > 0 } errors)
            throw new SettingsException($"--node-name {NodeName}: {errors[0]}");
        NodeIpDetected = NodeIp.Length == 0;
        if (NodeIpDetected)
            NodeIp = DefaultAddress().ToString();
        else if (!IPAddress.TryParse(NodeIp, out _))
            throw new SettingsException($"--node-ip {NodeIp} is not an IP address");
        CompleteStore();
    }

    /// <summary>Checks where the state is kept, and makes paths absolute: the services run elsewhere.</summary>
    /// <exception cref="SettingsException">An endpoint or a file is wrong.</exception>
    public void CompleteStore()
    {
        foreach (var endpoint in Store.Split(',', StringSplitOptions.RemoveEmptyEntries))
        {
            if (!Uri.TryCreate(endpoint, UriKind.Absolute, out var uri) || uri.Scheme is not ("http" or "https") || uri.Port <= 0)
                throw new SettingsException($"--store {endpoint} is not an endpoint such as https://192.0.2.1:2379");
        }

        string Existing(string flag, string file) => file.Length == 0 || File.Exists(file) ? file.Length == 0 ? "" : Path.GetFullPath(file) : throw new SettingsException($"--{flag} {file}: there is no such file");
        StoreCaFile = Existing("store-ca-file", StoreCaFile);
        StoreCertFile = Existing("store-cert-file", StoreCertFile);
        StoreKeyFile = Existing("store-key-file", StoreKeyFile);
        if (StoreCertFile.Length > 0 != StoreKeyFile.Length > 0)
            throw new SettingsException("--store-cert-file and --store-key-file go together");
    }

    /// <summary>
    /// The options of a cluster as these settings ask for it. What an earlier <c>prepare</c> of the directory was told stays until it is told
    /// otherwise; what the kept state was made with cannot change.
    /// </summary>
    /// <exception cref="SettingsException">An option is wrong, or differs from what the directory's cluster was made with.</exception>
    public static ClusterOptions Resolve(MeshHostBuilder settings)
    {
        var given = settings.Bind<ClusterOptions>();
        var known = File.Exists(new ClusterLayout(Path.GetFullPath(given.DataDir)).Options) ? Load(given.DataDir) : null;
        if (known is not null)
        {
            foreach (var (key, value) in known.Remembered())
                settings.Set("", key, value);
            given = settings.Bind<ClusterOptions>();
        }

        given.Complete();
        foreach (var (key, value) in known?.Fixed() ?? [])
        {
            if (given.Fixed().First(f => f.Key == key).Value is { } wanted && wanted != value)
                throw new SettingsException(key == "store"
                    ? $"--store {wanted}: the cluster in {given.DataDir} is kept {(value.Length > 0 ? "in " + value : "in its own store")}; ./mesh migrate moves it"
                    : $"--{key} {wanted}: the cluster in {given.DataDir} was made with {value}, which cannot change (./mesh down --purge removes it)");
        }

        return given;
    }

    /// <summary>What names, certificates, addresses and containers of the kept state were made with.</summary>
    private IEnumerable<KeyValuePair<string, string>> Fixed() =>
    [
        new("node-name", NodeName), new("runtime", Runtime), new("service-cidr", ServiceCidr), new("pod-cidr", PodCidr), new("cluster-domain", ClusterDomain),
        new("store", Store),
    ];

    private IEnumerable<KeyValuePair<string, string>> Remembered() =>
    [
        .. Fixed(),
        new("node-ip", NodeIpDetected ? "" : NodeIp), new("api-port", Text(ApiPort)), new("store-port", Text(StorePort)), new("node-port", Text(NodePort)),
        new("dns-port", Text(DnsPort)), new("kafka", Kafka), new("runtime-config", RuntimeConfig),
        new("store-ca-file", StoreCaFile), new("store-cert-file", StoreCertFile), new("store-key-file", StoreKeyFile),
    ];

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);

    public void Save()
    {
        var path = new ClusterLayout(DataDir).Options;
        Directory.CreateDirectory(DataDir);
        File.WriteAllText(path + ".part", JsonSerializer.Serialize(this, Format));
        File.Move(path + ".part", path, overwrite: true);
    }

    /// <exception cref="SettingsException">The directory was never prepared, or its file is damaged.</exception>
    public static ClusterOptions Load(string dataDir)
    {
        var path = new ClusterLayout(Path.GetFullPath(dataDir)).Options;
        try
        {
            return JsonSerializer.Deserialize<ClusterOptions>(File.ReadAllText(path)) ?? throw new JsonException("empty");
        }
        catch (Exception e) when (e is IOException or JsonException)
        {
            throw new SettingsException($"{path}: {e.Message} (run 'prepare --data-dir {dataDir}' first)");
        }
    }

    private static readonly JsonSerializerOptions Format = new() { WriteIndented = true };

    private static IPAddress DefaultAddress()
    {
        var candidates = NetworkInterface.GetAllNetworkInterfaces()
            .Where(i => i.OperationalStatus is OperationalStatus.Up or OperationalStatus.Unknown && i.NetworkInterfaceType != NetworkInterfaceType.Loopback)
            .Select(i => i.GetIPProperties())
            .OrderByDescending(p => p.GatewayAddresses.Any(g => g.Address.AddressFamily == AddressFamily.InterNetwork && !g.Address.Equals(IPAddress.Any)));
        return candidates.SelectMany(p => p.UnicastAddresses).Select(a => a.Address).FirstOrDefault(a => a.AddressFamily == AddressFamily.InterNetwork)
            ?? IPAddress.Loopback;
    }
}
