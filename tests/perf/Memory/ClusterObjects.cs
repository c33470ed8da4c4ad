using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Mesh.Perf.Memory;

/// <summary>Nodes and pods with what a real cluster's have: labels, owners, probes, volumes, conditions, container ids. Forty applications, each its own template.</summary>
internal sealed class ClusterObjects(int nodes)
{
    private const int Applications = 40;
    private static readonly string[] s_conditions = ["PodReadyToStartContainers", "Initialized", "Ready", "ContainersReady", "PodScheduled"];

    public static string NodeName(int index) => "node-" + index.ToString(CultureInfo.InvariantCulture);

    /// <summary>As a deployment's pods are named: application, hash of its template, suffix.</summary>
    public static string PodName(int index) => $"{Application(index)}-{Hex("hash" + index % Applications, 10)}-{Hex("name" + index, 8)}";

    public byte[] Node(int index) => Bytes(new JsonObject
    {
        ["apiVersion"] = "v1",
        ["kind"] = "Node",
        ["metadata"] = new JsonObject
        {
            ["name"] = NodeName(index),
            ["labels"] = new JsonObject
            {
                ["kubernetes.io/hostname"] = NodeName(index),
                ["kubernetes.io/arch"] = "amd64",
                ["kubernetes.io/os"] = "linux",
                ["beta.kubernetes.io/arch"] = "amd64",
                ["topology.kubernetes.io/zone"] = "zone-" + index % 3,
                ["topology.kubernetes.io/region"] = "region-1",
                ["node.kubernetes.io/instance-type"] = "m8.2xlarge",
            },
            ["annotations"] = new JsonObject { ["node.alpha.kubernetes.io/ttl"] = "0", ["volumes.kubernetes.io/controller-managed-attach-detach"] = "true" },
        },
        ["spec"] = new JsonObject { ["podCIDR"] = $"10.{index / 256 + 1}.{index % 256}.0/24", ["providerID"] = "cloud:///zone/" + Hex("provider" + index, 16) },
    });

    public byte[] NodeStatus(int index)
    {
        var images = new JsonArray();
        for (var i = 0; i < 12; i++)
        {
            var name = $"registry.example.com/{Application(index * 3 + i)}/server";
            images.Add(new JsonObject { ["names"] = new JsonArray($"{name}@sha256:{Hex("image" + (index * 3 + i) % Applications, 64)}", name + ":v1.2." + i), ["sizeBytes"] = 41_000_000 + i * 1_234_567 });
        }

        JsonObject Resources() => new() { ["cpu"] = "8", ["memory"] = "32Gi", ["pods"] = "110", ["ephemeral-storage"] = "100Gi", ["hugepages-2Mi"] = "0" };
        return Bytes(new JsonObject
        {
            ["status"] = new JsonObject
            {
                ["capacity"] = Resources(),
                ["allocatable"] = Resources(),
                ["addresses"] = new JsonArray(Pair("type", "InternalIP", "address", $"192.168.{index / 250}.{index % 250}"), Pair("type", "Hostname", "address", NodeName(index))),
                ["conditions"] = new JsonArray([.. new[] { "MemoryPressure", "DiskPressure", "PIDPressure", "Ready" }.Select(type => Condition(type, type == "Ready", index))]),
                ["nodeInfo"] = new JsonObject
                {
                    ["machineID"] = Hex("machine" + index, 32),
                    ["systemUUID"] = Id("system" + index),
                    ["bootID"] = Id("boot" + index),
                    ["kernelVersion"] = "6.1.0-28-amd64",
                    ["osImage"] = "Debian GNU/Linux 12 (bookworm)",
                    ["containerRuntimeVersion"] = "containerd://1.6.20",
                    ["kubeletVersion"] = "v1.36.0",
                    ["kubeProxyVersion"] = "",
                    ["operatingSystem"] = "linux",
                    ["architecture"] = "amd64",
                },
                ["images"] = images,
            },
        });
    }

    public byte[] Pod(int index)
    {
        var app = Application(index);
        var kind = index % Applications;
        var environment = new JsonArray();
        for (var i = 0; i < 1 + kind % 4; i++) environment.Add(Pair("name", $"{app.ToUpperInvariant().Replace('-', '_')}_SETTING_{i}", "value", Hex($"setting{kind}{i}", 12)));
        environment.Add(new JsonObject { ["name"] = "POD_IP", ["valueFrom"] = new JsonObject { ["fieldRef"] = new JsonObject { ["apiVersion"] = "v1", ["fieldPath"] = "status.podIP" } } });
        JsonObject Probe(string path) => new() { ["httpGet"] = new JsonObject { ["path"] = path, ["port"] = 8080, ["scheme"] = "HTTP" }, ["periodSeconds"] = 10, ["timeoutSeconds"] = 2 + kind % 3 };
        return Bytes(new JsonObject
        {
            ["apiVersion"] = "v1",
            ["kind"] = "Pod",
            ["metadata"] = new JsonObject
            {
                ["name"] = PodName(index),
                ["generateName"] = PodName(index)[..^8],
                ["namespace"] = "default",
                ["labels"] = new JsonObject { ["app"] = app, ["app.kubernetes.io/part-of"] = "shop", ["tier"] = "t" + kind % 4, ["pod-template-hash"] = Hex("hash" + kind, 10) },
                ["annotations"] = new JsonObject { ["prometheus.io/scrape"] = "true", ["prometheus.io/port"] = "9102" },
                ["ownerReferences"] = new JsonArray(new JsonObject
                {
                    ["apiVersion"] = "apps/v1",
                    ["kind"] = "ReplicaSet",
                    ["name"] = PodName(index)[..^9],
                    ["uid"] = Id("set" + kind),
                    ["controller"] = true,
                    ["blockOwnerDeletion"] = true,
                }),
            },
            ["spec"] = new JsonObject
            {
                ["nodeName"] = NodeName(index % nodes),
                ["containers"] = new JsonArray(new JsonObject
                {
                    ["name"] = "server",
                    ["image"] = $"registry.example.com/{app}/server:v1.2.{kind}",
                    ["args"] = new JsonArray("--config=/etc/app/config.yaml"),
                    ["env"] = environment,
                    ["ports"] = new JsonArray(new JsonObject { ["name"] = "http", ["containerPort"] = 8080 }),
                    ["resources"] = new JsonObject { ["requests"] = Pair("cpu", "100m", "memory", "128Mi"), ["limits"] = new JsonObject { ["memory"] = "256Mi" } },
                    ["volumeMounts"] = new JsonArray(Pair("name", "config", "mountPath", "/etc/app")),
                    ["readinessProbe"] = Probe("/readyz"),
                }),
                ["volumes"] = new JsonArray(new JsonObject { ["name"] = "config", ["configMap"] = new JsonObject { ["name"] = app + "-config" } }),
            },
        });
    }

    public byte[] PodStatus(int index) => Bytes(new JsonObject
    {
        ["status"] = new JsonObject
        {
            ["phase"] = "Running",
            ["podIP"] = Address(index),
            ["podIPs"] = new JsonArray(new JsonObject { ["ip"] = Address(index) }),
            ["hostIP"] = $"192.168.{index % nodes / 250}.{index % nodes % 250}",
            ["hostIPs"] = new JsonArray(new JsonObject { ["ip"] = $"192.168.{index % nodes / 250}.{index % nodes % 250}" }),
            ["startTime"] = Time(index),
            ["conditions"] = new JsonArray([.. s_conditions.Select(type => Condition(type, true, index))]),
            ["containerStatuses"] = new JsonArray(new JsonObject
            {
                ["name"] = "server",
                ["ready"] = true,
                ["started"] = true,
                ["restartCount"] = 0,
                ["image"] = $"registry.example.com/{Application(index)}/server:v1.2.{index % Applications}",
                ["imageID"] = $"registry.example.com/{Application(index)}/server@sha256:{Hex("image" + index % Applications, 64)}",
                ["containerID"] = "containerd://" + Hex("container" + index, 64),
                ["state"] = new JsonObject { ["running"] = new JsonObject { ["startedAt"] = Time(index) } },
                ["lastState"] = new JsonObject(),
            }),
        },
    });

    /// <summary>A stored pod as another: what is the pod's own is replaced, in every place where it is.</summary>
    public string Copy(string stored, int index)
    {
        using var pod = JsonDocument.Parse(stored);
        var (meta, status) = (pod.RootElement.GetProperty("metadata"), pod.RootElement.GetProperty("status"));
        return new StringBuilder(stored)
            .Replace(meta.GetProperty("name").GetString()!, PodName(index))
            .Replace(meta.GetProperty("uid").GetString()!, Id("pod" + index))
            .Replace(status.GetProperty("containerStatuses")[0].GetProperty("containerID").GetString()!, "containerd://" + Hex("container" + index, 64))
            .Replace($"\"{status.GetProperty("podIP").GetString()}\"", $"\"{Address(index)}\"")
            .Replace(status.GetProperty("startTime").GetString()!, Time(index))
            .Replace($"\"{pod.RootElement.GetProperty("spec").GetProperty("nodeName").GetString()}\"", $"\"{NodeName(index % nodes)}\"")
            .ToString();
    }

    private static string Application(int index) => "shop-" + index % Applications;

    private static string Address(int index) => $"10.{(index >> 16) + 1}.{(index >> 8) & 255}.{index & 255}";

    private static string Time(int index) => new DateTime(2026, 11, 20, 0, 0, 0, DateTimeKind.Utc).AddSeconds(index / 3).ToString("yyyy-MM-ddTHH:mm:ssZ", CultureInfo.InvariantCulture);

    private static JsonObject Condition(string type, bool holds, int index) => new()
    {
        ["type"] = type,
        ["status"] = holds ? "True" : "False",
        ["lastProbeTime"] = null,
        ["lastTransitionTime"] = Time(index),
    };

    private static JsonObject Pair(string a, string av, string b, string bv) => new() { [a] = av, [b] = bv };

    private static string Hex(string seed, int digits) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(seed)))[..digits];

    private static string Id(string seed) => new Guid(SHA256.HashData(Encoding.UTF8.GetBytes(seed)).AsSpan(0, 16)).ToString();

    private static byte[] Bytes(JsonObject tree) => Encoding.UTF8.GetBytes(tree.ToJsonString());
}
