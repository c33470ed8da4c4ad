using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using Microsoft.AspNetCore.Connections;

namespace Mesh.Rpc;

/// <summary>
/// The in-memory transport: named listeners and the connections between them, pipes in place of sockets. One instance is one private
/// network; the services of one process share it (Mesh.Hosting gives each the same), tests make their own.
/// A connection carries the client certificate its maker has, so that a server authenticates it as it would over TLS, without a handshake.
/// </summary>
public sealed class InProcNetwork
{
    private readonly ConcurrentDictionary<string, InProcListener> _listeners = new(StringComparer.Ordinal);
    private long _lastConnection;

    /// <summary>Names that are listened on now.</summary>
    public IReadOnlyCollection<string> Names => (IReadOnlyCollection<string>)_listeners.Keys;

    /// <summary>Connects to a listener.</summary>
    /// <returns>The client's end.</returns>
    /// <exception cref="SocketException">Nobody listens on this name: ConnectionRefused, as TCP would answer.</exception>
    public Stream Connect(string name, X509Certificate2? clientCertificate = null)
    {
        if (!_listeners.TryGetValue(name, out var listener)) throw Refused(name);
        var id = $"inproc-{name}-{Interlocked.Increment(ref _lastConnection)}";
        var (client, server) = InProcConnection.CreatePair(id, name, clientCertificate);
        if (!listener.TryEnqueue(server)) throw Refused(name);
        return client;
    }

    internal InProcListener Bind(InProcEndPoint endPoint)
    {
        var listener = new InProcListener(this, endPoint);
        return _listeners.TryAdd(endPoint.Name, listener) ? listener : throw new AddressInUseException($"{endPoint} is listened on already");
    }

    internal void Unbind(InProcListener listener) =>
        _listeners.TryRemove(new KeyValuePair<string, InProcListener>(((InProcEndPoint)listener.EndPoint).Name, listener));

    private static SocketException Refused(string name) => new((int)SocketError.ConnectionRefused, $"inproc://{name}: nobody listens there");
}

/// <summary>Lets Kestrel bind <see cref="InProcEndPoint"/> on a network; other endpoints go to its socket transport.</summary>
internal sealed class InProcListenerFactory(InProcNetwork network) : IConnectionListenerFactory, IConnectionListenerFactorySelector
{
    public bool CanBind(EndPoint endpoint) => endpoint is InProcEndPoint;

    public ValueTask<IConnectionListener> BindAsync(EndPoint endpoint, CancellationToken cancellationToken = default) =>
        new(network.Bind((InProcEndPoint)endpoint));
}
