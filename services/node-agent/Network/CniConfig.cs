using System.Text.Json;
using System.Text.Json.Nodes;

namespace Mesh.NodeAgent.Network;

/// <summary>The pod network of one node: a bridge with addresses out of the node's pod CIDR.</summary>
internal sealed record PodNetwork
{
    /// <summary>Name of the network (and of host-local's state directory).</summary>
    public string Name { get; init; } = "mesh";

    /// <summary>The bridge's interface name, at most 15 characters.</summary>
    public string Bridge { get; init; } = "mesh0";

    /// <summary>The node's part of the pod addresses.</summary>
    public required string PodCidr { get; init; }

    /// <summary>Where host-local remembers addresses.</summary>
    public required string StateDirectory { get; init; }

    /// <summary>Bytes; 0 leaves the interface's.</summary>
    public int Mtu { get; init; }

    /// <summary>Whether the bridge plugin gives packets that leave the node its address. Off where PodMasquerade does it.</summary>
    public bool Masquerade { get; init; } = true;
}

/// <summary>Writes the CNI network list that containerd reads.</summary>
internal static class CniConfig
{
    public const string FileName = "10-mesh.conflist";

    public static string Write(PodNetwork network)
    {
        var bridge = new JsonObject
        {
            ["type"] = "bridge",
            ["bridge"] = network.Bridge,
            ["isGateway"] = true,
            ["ipMasq"] = network.Masquerade,
            ["hairpinMode"] = true,
            ["promiscMode"] = false,
            ["ipam"] = new JsonObject
            {
                ["type"] = "host-local",
                ["dataDir"] = network.StateDirectory,
                ["ranges"] = new JsonArray(new JsonArray(new JsonObject { ["subnet"] = network.PodCidr })),
                ["routes"] = new JsonArray(new JsonObject { ["dst"] = "0.0.0.0/0" }),
            },
        };
        if (network.Mtu > 0)
            bridge["mtu"] = network.Mtu;
        var list = new JsonObject
        {
            ["cniVersion"] = "0.4.0",
            ["name"] = network.Name,
            ["plugins"] = new JsonArray(
                bridge,
                new JsonObject { ["type"] = "portmap", ["capabilities"] = new JsonObject { ["portMappings"] = true }, ["snat"] = true }),
        };
        return list.ToJsonString(new JsonSerializerOptions { WriteIndented = true });
    }

    /// <summary>Puts the file there when it differs; containerd notices by itself.</summary>
    public static void Install(string directory, PodNetwork network)
    {
        Directory.CreateDirectory(directory);
        Directory.CreateDirectory(network.StateDirectory);
        var path = Path.Combine(directory, FileName);
        var text = Write(network);
        if (File.Exists(path) && File.ReadAllText(path) == text)
            return;
        var part = path + ".part";
        File.WriteAllText(part, text);
        File.Move(part, path, overwrite: true);
    }
}
