using System.Runtime.CompilerServices;

namespace Grpc.Core;

/// <summary>A stream of messages as an async sequence.</summary>
public static class AsyncStreamReaderExtensions
{
    /// <summary>Reads the messages until the stream ends.</summary>
    public static async IAsyncEnumerable<T> ReadAllAsync<T>(
        this IAsyncStreamReader<T> streamReader, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(streamReader);
        while (await streamReader.MoveNext(cancellationToken).ConfigureAwait(false)) yield return streamReader.Current;
    }
}
