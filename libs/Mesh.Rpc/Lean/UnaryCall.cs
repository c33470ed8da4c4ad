using System.Buffers;
using System.Threading.Tasks.Sources;
using Grpc.Core;

namespace Mesh.Rpc.Lean;

/// <summary>A call of one message that is answered by one, and the result for the caller.</summary>
internal sealed class UnaryCall(string path, byte[] message, int length, TimeSpan? timeout, string? authorization)
    : ClientCall(path, timeout, authorization, new MessageAssembler()), IValueTaskSource<ReadOnlyMemory<byte>>
{
    private ManualResetValueTaskSourceCore<ReadOnlyMemory<byte>> _result;
    private byte[]? _message = message;
    private int _sent;
    private byte[]? _received;
    private int _unreturned;
    private Exception? _failure;

    /// <summary>The answer, in an array of its own; await it once.</summary>
    public ValueTask<ReadOnlyMemory<byte>> Answer => new(this, _result.Version);

    public override bool HasUnsent => _message is not null;

    public override ReadOnlySpan<byte> Unsent => _message.AsSpan(_sent, length - _sent);

    public override bool HasEnded => _sent == length;

    public override bool IsWhole => _received is not null && Input.AtBoundary;

    public override bool EndsWith(int count) => _sent + count == length;

    public override void Sent(int count)
    {
        _sent += count;
        if (_sent == length) DropUnsent();
    }

    public override void DropUnsent()
    {
        if (_message is null) return;
        ArrayPool<byte>.Shared.Return(_message);
        _message = null;
    }

    public override bool Receive(ArraySegment<byte> message)
    {
        if (_received is not null) throw new RpcException(new Status(StatusCode.Internal, "more than one message in the answer of a unary call"));
        _received = message.Array;
        return false;
    }

    public override int Credit(int received)
    {
        _unreturned += received;
        if (_unreturned < Http2.StreamWindow / 4) return 0;
        var credit = _unreturned;
        _unreturned = 0;
        return credit;
    }

    public override void Execute()
    {
        if (_failure is not null) _result.SetException(_failure);
        else _result.SetResult(_received);
    }

    public ReadOnlyMemory<byte> GetResult(short token) => _result.GetResult(token);

    public ValueTaskSourceStatus GetStatus(short token) => _result.GetStatus(token);

    public void OnCompleted(Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) => _result.OnCompleted(continuation, state, token, flags);

    protected override void OnEnd(Exception? failure) => _failure = failure;
}
