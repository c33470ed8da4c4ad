using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using Mesh.Rpc.Lean.Sockets;

namespace Mesh.Rpc;

/// <summary>Connects to every address form, TLS shaken hands and HTTP/2 agreed on.</summary>
internal static class MeshConnector
{
    /// <summary>A connected stream that speaks HTTP/2.</summary>
    public static async Task<Stream> ConnectAsync(MeshAddress address, MeshChannelOptions options, CancellationToken cancellationToken)
    {
        if (address.Scheme == MeshScheme.InProc)
        {
            var network = options.Network ?? throw new ArgumentException($"{address}: in-process addresses need MeshChannelOptions.Network", nameof(options));
            return network.Connect(address.Host, options.ClientCertificate?.Invoke());
        }

        if (address.Scheme == MeshScheme.Unix) return await ConnectUnixAsync(address.Host, cancellationToken).ConfigureAwait(false);
        var plain = await PolledSocket.ConnectAsync(address.Host, address.Port, cancellationToken).ConfigureAwait(false);
        return address.Scheme == MeshScheme.Https ? await SecureAsync(plain, address.Host, options, cancellationToken).ConfigureAwait(false) : plain;
    }

    /// <summary>A connected unix socket.</summary>
    public static async ValueTask<Stream> ConnectUnixAsync(string path, CancellationToken cancellationToken)
    {
        var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            await socket.ConnectAsync(new UnixDomainSocketEndPoint(path), cancellationToken).ConfigureAwait(false);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    /// <summary>What a client shows and demands.</summary>
    public static void ConfigureTls(SslClientAuthenticationOptions tls, MeshChannelOptions options)
    {
        if (options.ServerName is { } name) tls.TargetHost = name;
        if (options.ClientCertificate is { } certificate)
        {
            tls.LocalCertificateSelectionCallback = (_, _, _, _, _) => certificate()!;
        }
#pragma warning disable CA5359 // asked for by name
        if (options.InsecureSkipVerify) tls.RemoteCertificateValidationCallback = static (_, _, _, _) => true;
#pragma warning restore CA5359
        else if (options.TrustedRoots is { } roots)
        {
            tls.RemoteCertificateValidationCallback = (_, peer, sent, errors) =>
                (errors & ~SslPolicyErrors.RemoteCertificateChainErrors) == SslPolicyErrors.None
                && peer is X509Certificate2 leaf
                && CertificateChains.Verify(leaf, roots(), sent);
        }
    }

    private static async Task<Stream> SecureAsync(Stream plain, string host, MeshChannelOptions options, CancellationToken cancellationToken)
    {
        var tls = new SslStream(plain, leaveInnerStreamOpen: false);
        try
        {
            var settings = new SslClientAuthenticationOptions { TargetHost = host, ApplicationProtocols = [SslApplicationProtocol.Http2] };
            ConfigureTls(settings, options);
            await tls.AuthenticateAsClientAsync(settings, cancellationToken).ConfigureAwait(false);
            if (tls.NegotiatedApplicationProtocol != SslApplicationProtocol.Http2) throw new IOException("the server does not speak HTTP/2");
            return tls;
        }
        catch
        {
            await tls.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }
}
