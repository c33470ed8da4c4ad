using System.Net.Security;
using System.Security.Cryptography.X509Certificates;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Https;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace Mesh.Rpc;

/// <summary>Kestrel as a server of <see cref="MeshAddress"/> addresses.</summary>
public static class MeshKestrel
{
    /// <summary>Adds the in-memory transport, so that Kestrel binds <c>inproc://</c> addresses on this network.</summary>
    public static IServiceCollection AddInProcTransport(this IServiceCollection services, InProcNetwork network)
    {
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IConnectionListenerFactory, InProcListenerFactory>());
        services.TryAddSingleton(network);
        return services;
    }

    /// <summary>Takes sockets without pipes between, for listeners with <see cref="MeshListenOptions.Grpc"/>.</summary>
    public static IServiceCollection AddLeanSockets(this IServiceCollection services) => services.AddSingleton<IConnectionListenerFactory, Lean.Sockets.LeanSockets>();

    /// <summary>Limits fit for long streams and many calls on one connection.</summary>
    public static void UseMeshLimits(this KestrelServerOptions kestrel)
    {
        ArgumentNullException.ThrowIfNull(kestrel);
        kestrel.AddServerHeader = false;
        // In-process connections with a certificate count as TLS while their clients write http.
        kestrel.AllowAlternateSchemes = true;
        // Watches are silent for minutes, lists are as large as the cluster: no rates, and each reader limits its own body.
        kestrel.Limits.MinRequestBodyDataRate = null;
        kestrel.Limits.MinResponseDataRate = null;
        kestrel.Limits.MaxRequestBodySize = null;
        kestrel.Limits.Http2.MaxStreamsPerConnection = 1000;
        kestrel.Limits.Http2.InitialConnectionWindowSize = 4 * 1024 * 1024;
        kestrel.Limits.Http2.InitialStreamWindowSize = 1024 * 1024;
        kestrel.Limits.Http2.MaxFrameSize = 64 * 1024;
        kestrel.Limits.Http2.KeepAlivePingDelay = TimeSpan.FromSeconds(30);
        kestrel.Limits.Http2.KeepAlivePingTimeout = TimeSpan.FromSeconds(20);
    }

    /// <summary>Listens on an address. A unix socket file left behind by a dead process is replaced.</summary>
    /// <exception cref="ArgumentException">https without a certificate.</exception>
    public static void ListenMesh(this KestrelServerOptions kestrel, MeshAddress address, MeshListenOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(kestrel);
        ArgumentNullException.ThrowIfNull(address);
        options ??= new MeshListenOptions();
        if (address.Scheme == MeshScheme.Https && options.Certificate is null)
            throw new ArgumentException($"{address}: https needs a server certificate", nameof(options));
        if (address.Scheme == MeshScheme.Unix) PrepareSocketFile(address.Host);
        kestrel.Listen(address.ToListenEndPoint(), listen =>
        {
            listen.Protocols = options.Protocols ?? DefaultProtocols(address.Scheme);
            if (address.Scheme == MeshScheme.Https) listen.UseHttps(Tls(options));
            if (options.Grpc is { } grpc) listen.Use(next => connection => grpc.RunAsync(connection, next));
        });
    }

    internal static HttpProtocols DefaultProtocols(MeshScheme scheme) => scheme switch
    {
        MeshScheme.Https => HttpProtocols.Http1AndHttp2,
        MeshScheme.Http => HttpProtocols.Http1,
        _ => HttpProtocols.Http2,
    };

    private static TlsHandshakeCallbackOptions Tls(MeshListenOptions options)
    {
        var contexts = new CertificateContexts();
        return new TlsHandshakeCallbackOptions { OnConnection = _ => ValueTask.FromResult(Handshake(options, contexts)) };
    }

    private static SslServerAuthenticationOptions Handshake(MeshListenOptions options, CertificateContexts contexts)
    {
        var tls = new SslServerAuthenticationOptions
        {
            ServerCertificateContext = contexts.Get(options.Certificate!(), options.CertificateChain),
        };
        if (options.ClientRoots is { } roots)
        {
            tls.ClientCertificateRequired = true;
            tls.RemoteCertificateValidationCallback = (_, peer, sent, _) =>
                peer is null ? !options.RequireClientCertificate : peer is X509Certificate2 leaf && CertificateChains.Verify(leaf, roots(), sent);
        }
        return tls;
    }

    private static void PrepareSocketFile(string path)
    {
        if (Path.GetDirectoryName(path) is { Length: > 0 } directory) Directory.CreateDirectory(directory);
        if (File.Exists(path)) File.Delete(path);
    }
}
