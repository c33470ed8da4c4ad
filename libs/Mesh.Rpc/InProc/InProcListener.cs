using System.Net;
using System.Threading.Channels;
using Microsoft.AspNetCore.Connections;

namespace Mesh.Rpc;

/// <summary>A bound name: connections wait here until the server accepts them.</summary>
internal sealed class InProcListener(InProcNetwork network, InProcEndPoint endPoint) : IConnectionListener
{
    private readonly Channel<InProcConnection> _waiting = Channel.CreateUnbounded<InProcConnection>();

    public EndPoint EndPoint => endPoint;

    public bool TryEnqueue(InProcConnection connection) => _waiting.Writer.TryWrite(connection);

    public async ValueTask<ConnectionContext?> AcceptAsync(CancellationToken cancellationToken = default)
    {
        while (await _waiting.Reader.WaitToReadAsync(cancellationToken))
            if (_waiting.Reader.TryRead(out var connection)) return connection;
        return null;
    }

    public ValueTask UnbindAsync(CancellationToken cancellationToken = default)
    {
        network.Unbind(this);
        _waiting.Writer.TryComplete();
        return default;
    }

    public async ValueTask DisposeAsync()
    {
        await UnbindAsync();
        // Connections nobody accepted any more: their clients see a closed connection.
        while (_waiting.Reader.TryRead(out var connection)) await connection.DisposeAsync();
    }
}
