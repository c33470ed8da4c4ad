using System.Globalization;
using Grpc.Core;

namespace Mesh.Rpc.Lean;

/// <summary>A request's header block, decoded. Immutable: calls whose blocks are the same bytes share one.</summary>
internal sealed class CallHead
{
    private readonly List<(string Name, string Value)> _fields = [];

    public CallHead(List<(string Name, string Value)> fields)
    {
        foreach (var (name, value) in fields)
        {
            switch (name)
            {
                case ":method": Method = value; break;
                case ":path": Path = value; break;
                case ":authority": Authority = value; break;
                case ":scheme": break;
                case "content-type": IsGrpc = value.StartsWith("application/grpc", StringComparison.Ordinal); break;
                case "grpc-timeout": Timeout = ParseTimeout(value); break;
                case "grpc-encoding": Encoding = value; break;
                case "te" or "grpc-accept-encoding" or "grpc-internal-encoding-request": break;
                default:
                    if (name.StartsWith(':')) throw new Http2Exception(Http2Error.Protocol, "unknown pseudo-header " + name);
                    _fields.Add((name, value));
                    break;
            }
        }
    }

    public string Method { get; } = "";

    public string Path { get; } = "";

    public string Authority { get; } = "";

    public bool IsGrpc { get; }

    /// <summary>How long the caller waits; null for as long as it takes.</summary>
    public TimeSpan? Timeout { get; }

    /// <summary>The message encoding, or null.</summary>
    public string? Encoding { get; }

    /// <summary>What is not HTTP/2's or gRPC's own, as handlers see it.</summary>
    public Metadata ToMetadata() => HeaderFields.ToMetadata(_fields);

    private static TimeSpan? ParseTimeout(string text)
    {
        if (text.Length is < 2 or > 9 || !long.TryParse(text.AsSpan(0, text.Length - 1), NumberStyles.None, CultureInfo.InvariantCulture, out var value)) return null;
        var ticks = text[^1] switch
        {
            'H' => value * TimeSpan.TicksPerHour,
            'M' => value * TimeSpan.TicksPerMinute,
            'S' => value * TimeSpan.TicksPerSecond,
            'm' => value * TimeSpan.TicksPerMillisecond,
            'u' => value * TimeSpan.TicksPerMicrosecond,
            'n' => Math.Max(1, value / TimeSpan.NanosecondsPerTick),
            _ => -1L,
        };
        // Longer than timers reach is for ever.
        return ticks < 0 || ticks > TimeSpan.TicksPerDay * 40 ? null : TimeSpan.FromTicks(ticks);
    }
}
