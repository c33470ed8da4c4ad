using System.Net;
using System.Numerics;

namespace Mesh.Controllers.Nodes;

/// <summary>Cuts a cluster's address range into equal ranges and hands out the lowest free one.</summary>
internal sealed class CidrAllocator
{
    private readonly BigInteger _base;
    private readonly int _bytes;
    private readonly int _nodeBits;
    private readonly int _hostBits;
    private readonly int _count;
    private readonly HashSet<int> _used = [];
    private int _lowestFree;

    internal CidrAllocator(string clusterCidr, int nodePrefix)
    {
        var network = IPNetwork.Parse(clusterCidr);
        var bytes = network.BaseAddress.GetAddressBytes();
        (_bytes, _nodeBits, _hostBits) = (bytes.Length, nodePrefix, (bytes.Length * 8) - nodePrefix);
        if (nodePrefix < network.PrefixLength || _hostBits < 0)
            throw new ArgumentException($"nodes cannot have /{nodePrefix} ranges of {clusterCidr}", nameof(nodePrefix));
        // More than 2^16 nodes of one range is past what any cluster has; it also bounds the search.
        _count = 1 << Math.Min(16, nodePrefix - network.PrefixLength);
        _base = new BigInteger(bytes, isUnsigned: true, isBigEndian: true);
    }

    internal bool IsIPv6 => _bytes == 16;

    /// <summary>Marks a node's range as taken; ranges of elsewhere are ignored.</summary>
    internal void Occupy(string cidr)
    {
        if (IndexOf(cidr) is { } index) _used.Add(index);
    }

    internal void Release(string cidr)
    {
        if (IndexOf(cidr) is not { } index || !_used.Remove(index)) return;
        _lowestFree = Math.Min(_lowestFree, index);
    }

    /// <summary>The lowest free range, or null when there is none.</summary>
    internal string? Allocate()
    {
        while (_lowestFree < _count && !_used.Add(_lowestFree)) _lowestFree++;
        if (_lowestFree == _count) return null;
        var bytes = (_base + (new BigInteger(_lowestFree++) << _hostBits)).ToByteArray(isUnsigned: true, isBigEndian: true);
        var padded = new byte[_bytes];
        bytes.CopyTo(padded, _bytes - bytes.Length);
        return $"{new IPAddress(padded)}/{_nodeBits}";
    }

    private int? IndexOf(string cidr)
    {
        if (!IPNetwork.TryParse(cidr, out var network)) return null;
        var bytes = network.BaseAddress.GetAddressBytes();
        if (bytes.Length != _bytes) return null;
        var index = (new BigInteger(bytes, isUnsigned: true, isBigEndian: true) - _base) >> _hostBits;
        return index < 0 || index >= _count ? null : (int)index;
    }
}
