using System.Net;

namespace Mesh.Rpc;

/// <summary>How an address is reached.</summary>
public enum MeshScheme
{
    /// <summary>Plain text over TCP (HTTP/2 without TLS, or HTTP/1.1).</summary>
    Http,
    /// <summary>TLS over TCP.</summary>
    Https,
    /// <summary>A unix domain socket.</summary>
    Unix,
    /// <summary>A named listener in this process, see <see cref="InProcNetwork"/>.</summary>
    InProc,
}

/// <summary>
/// An address of a service: <c>https://host:port</c>, <c>http://host:port</c>, <c>unix:///path/to/socket</c> or <c>inproc://name</c>.
/// Both ends write it the same way: a client connects to it, a server listens on it (<c>0.0.0.0</c>, <c>[::]</c> or <c>*</c> for all interfaces).
/// </summary>
public sealed record MeshAddress
{
    private MeshAddress(MeshScheme scheme, string host, int port)
    {
        Scheme = scheme;
        Host = host;
        Port = port;
    }

    /// <summary>How it is reached.</summary>
    public MeshScheme Scheme { get; }

    /// <summary>Host name or IP for TCP (an IPv6 address without brackets), the path of a unix socket, the name of an in-process listener.</summary>
    public string Host { get; }

    /// <summary>TCP port; 0 for the others, and for a server that takes any free port.</summary>
    public int Port { get; }

    /// <summary>Parses an address. TCP needs a port; a bare <c>host:port</c> is taken as https.</summary>
    /// <exception cref="FormatException">The text is no address.</exception>
    public static MeshAddress Parse(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        if (text.StartsWith("unix:", StringComparison.Ordinal))
        {
            var path = text[5..];
            if (path.StartsWith("//", StringComparison.Ordinal)) path = path[2..];
            return path.Length > 0 ? new MeshAddress(MeshScheme.Unix, path, 0) : throw Bad(text, "the socket path is missing");
        }
        if (text.StartsWith("inproc://", StringComparison.Ordinal))
        {
            var name = text[9..].TrimEnd('/');
            return Uri.CheckHostName(name) == UriHostNameType.Dns
                ? new MeshAddress(MeshScheme.InProc, name, 0)
                : throw Bad(text, "the name of the in-process listener must look like a host name");
        }
        var scheme = MeshScheme.Https;
        var rest = text;
        if (text.StartsWith("https://", StringComparison.OrdinalIgnoreCase)) rest = text[8..];
        else if (text.StartsWith("http://", StringComparison.OrdinalIgnoreCase)) (scheme, rest) = (MeshScheme.Http, text[7..]);
        else if (text.Contains("://", StringComparison.Ordinal)) throw Bad(text, "the scheme is none of https, http, unix, inproc");
        rest = rest.TrimEnd('/');
        var colon = rest.LastIndexOf(':');
        if (rest.Length == 0) throw Bad(text, "it is empty");
        if (colon < 0 || rest.EndsWith(']')) (rest, colon) = ($"{rest}:{(scheme == MeshScheme.Https ? 443 : 80)}", rest.Length);
        var host = rest[..colon];
        if (host.StartsWith('[') && host.EndsWith(']')) host = host[1..^1];
        if (host.Length == 0) host = "*";
        return ushort.TryParse(rest.AsSpan(colon + 1), out var port)
            ? host == "*" || Uri.CheckHostName(host) != UriHostNameType.Unknown
                ? new MeshAddress(scheme, host, port)
                : throw Bad(text, $"\"{host}\" is no host name")
            : throw Bad(text, "the port is not a number from 0 to 65535");
    }

    /// <summary>The endpoint a server binds. Host names other than <c>*</c> and <c>localhost</c> must be IP addresses.</summary>
    /// <exception cref="FormatException">A server cannot bind this address.</exception>
    public EndPoint ToListenEndPoint() => Scheme switch
    {
        MeshScheme.Unix => new System.Net.Sockets.UnixDomainSocketEndPoint(Host),
        MeshScheme.InProc => new InProcEndPoint(Host),
        _ when Host == "*" => new IPEndPoint(System.Net.Sockets.Socket.OSSupportsIPv6 ? IPAddress.IPv6Any : IPAddress.Any, Port),
        _ when Host == "localhost" => new IPEndPoint(IPAddress.Loopback, Port),
        _ when IPAddress.TryParse(Host, out var ip) => new IPEndPoint(ip, Port),
        _ => throw Bad(ToString(), "a server listens on an IP address, * or localhost"),
    };

    /// <summary>The URI an HTTP client uses: unix and in-process addresses get a placeholder authority.</summary>
    public Uri ToHttpUri() => Scheme switch
    {
        MeshScheme.Unix => new Uri("http://localhost"),
        MeshScheme.InProc => new Uri("http://" + Host),
        _ => new Uri(ToString()),
    };

    /// <inheritdoc/>
    public override string ToString() => Scheme switch
    {
        MeshScheme.Unix => "unix://" + Host,
        MeshScheme.InProc => "inproc://" + Host,
        _ => $"{(Scheme == MeshScheme.Https ? "https" : "http")}://{(Host.Contains(':') ? $"[{Host}]" : Host)}:{Port}",
    };

    private static FormatException Bad(string text, string why) => new($"address \"{text}\": {why}");
}
