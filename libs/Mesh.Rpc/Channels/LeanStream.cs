using Grpc.Core;
using Mesh.Rpc.Lean;

namespace Mesh.Rpc;

/// <summary>
/// A call of messages both ways on a <see cref="LeanChannel"/>. One reader, any number of writers. A reader that waits goes on on the thread that received the
/// message, and must not block it.
/// </summary>
public sealed class LeanStream : IDisposable
{
    private readonly StreamCall _call;

    internal LeanStream(StreamCall call) => _call = call;

    /// <summary>The message read last; its memory is used again at the next read.</summary>
    public ReadOnlyMemory<byte> Message => _call.Message;

    /// <summary>The server's trailers, when the call has ended well; those of a failure are in its exception.</summary>
    public Metadata Trailers => _call.Trailers;

    /// <summary>Sends a message; completes when the server's windows have let it go.</summary>
    /// <param name="message">The message.</param>
    /// <param name="cancellationToken">Ends the wait; the message is sent nevertheless.</param>
    /// <exception cref="RpcException">The call has failed.</exception>
    /// <exception cref="InvalidOperationException">The call has ended.</exception>
    public ValueTask WriteAsync<T>(T message, CancellationToken cancellationToken = default)
        where T : IWireMessage => _call.WriteAsync(LeanChannel.Encode(message), cancellationToken);

    /// <summary>Says that there will be no more messages from here.</summary>
    public void Complete() => _call.EndRequests();

    /// <summary>Waits for the next message; false when the server has ended the call well. All that it sent before a failure comes before the failure.</summary>
    /// <exception cref="RpcException">The call has failed; UNAVAILABLE when the connection was lost.</exception>
    /// <exception cref="OperationCanceledException">The call was cancelled here.</exception>
    public ValueTask<bool> ReadAsync() => _call.ReadAsync();

    /// <summary>Ends the call on both sides, if it has not ended. The message read last is gone.</summary>
    public void Dispose() => _call.Dispose();
}
