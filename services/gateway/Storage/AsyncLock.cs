using System.Threading.Channels;

namespace Mesh.Gateway.Storage;

/// <summary>Mutual exclusion across awaits, without anything to dispose: a channel that holds one token.</summary>
internal sealed class AsyncLock
{
    private readonly Channel<bool> token = Channel.CreateBounded<bool>(1);

    /// <summary>A free lock.</summary>
    public AsyncLock() => token.Writer.TryWrite(true);

    /// <summary>Waits for the lock; dispose the holder to leave.</summary>
    public async ValueTask<Holder> EnterAsync(CancellationToken ct)
    {
        await token.Reader.ReadAsync(ct);
        return new Holder(this);
    }

    /// <summary>Holds the lock.</summary>
    internal readonly struct Holder(AsyncLock owner) : IDisposable
    {
        /// <inheritdoc/>
        public void Dispose() => owner.token.Writer.TryWrite(true);
    }
}
