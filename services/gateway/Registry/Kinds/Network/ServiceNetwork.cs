using System.Net;

namespace Mesh.Gateway.Registry.Kinds.Network;

/// <summary>Where virtual IPs and node ports come from.</summary>
/// <param name="Cidr">IPv4 range of cluster IPs.</param>
/// <param name="FirstNodePort">First node port.</param>
/// <param name="LastNodePort">Last node port, included.</param>
internal sealed record ServiceNetwork(string Cidr = "10.96.0.0/16", int FirstNodePort = 30000, int LastNodePort = 32767)
{
    private readonly IPNetwork network = IPNetwork.Parse(Cidr);

    /// <summary>Usable addresses: without the network's own and the last one.</summary>
    public int Size => (int)Math.Min((1L << (32 - network.PrefixLength)) - 2, 1 << 24);

    /// <summary>The first addresses are for those who ask for one by name; others come from above first.</summary>
    public int StaticBand => Size < 16 ? 0 : Math.Clamp(Size / 16, 16, 256);

    /// <summary>Whether an address can be a cluster IP.</summary>
    public bool Contains(string ip) => IPAddress.TryParse(ip, out var address) && network.Contains(address) && Offset(address) is > 0 and var at && at <= Size;

    /// <summary>The address at a place, from 1.</summary>
    public string Address(int place)
    {
        var bytes = network.BaseAddress.GetAddressBytes();
        var value = ((uint)bytes[0] << 24 | (uint)bytes[1] << 16 | (uint)bytes[2] << 8 | bytes[3]) + (uint)place;
        return new IPAddress([(byte)(value >> 24), (byte)(value >> 16), (byte)(value >> 8), (byte)value]).ToString();
    }

    private long Offset(IPAddress address)
    {
        var (bytes, from) = (address.GetAddressBytes(), network.BaseAddress.GetAddressBytes());
        long result = 0;
        for (var i = 0; i < bytes.Length; i++)
            result = (result << 8) + bytes[i] - from[i];
        return result;
    }
}
