using System.Buffers;
using System.IO.Pipelines;

namespace Mesh.Rpc;

/// <summary>The client's end of an in-process connection as a stream; writes are flushed at once, as a socket's are.</summary>
internal sealed class DuplexPipeStream(PipeReader input, PipeWriter output, Action closed) : Stream
{
    private int _disposed;

    public override bool CanRead => true;

    public override bool CanWrite => true;

    public override bool CanSeek => false;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        while (true)
        {
            var result = await input.ReadAsync(cancellationToken);
            if (result.Buffer.IsEmpty)
            {
                if (result.IsCompleted) return 0;
                input.AdvanceTo(result.Buffer.Start);
                continue;
            }
            if (buffer.IsEmpty)
            {
                input.AdvanceTo(result.Buffer.Start);
                return 0;
            }
            var count = (int)Math.Min(result.Buffer.Length, buffer.Length);
            var part = result.Buffer.Slice(0, count);
            part.CopyTo(buffer.Span);
            // The pipe reuses its segments from here on: nothing of the sequence may be touched after.
            input.AdvanceTo(part.End);
            return count;
        }
    }

    public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        FlushResult result;
        try
        {
            result = await output.WriteAsync(buffer, cancellationToken);
        }
        catch (InvalidOperationException e)
        {
            throw new IOException("the in-process connection is closed", e);
        }
        if (result.IsCompleted) throw new IOException("the peer closed the in-process connection");
    }

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override Task WriteAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        WriteAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override Task FlushAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public override void Flush()
    {
    }

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException("in-process connections are read asynchronously");

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException("in-process connections are written asynchronously");

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    protected override void Dispose(bool disposing)
    {
        if (disposing && Interlocked.Exchange(ref _disposed, 1) == 0)
        {
            output.Complete();
            // A read under way must see the end before the pipe may be completed; the reader's own pending read is cancelled by this.
            input.CancelPendingRead();
            input.Complete();
            closed();
        }
        base.Dispose(disposing);
    }
}
