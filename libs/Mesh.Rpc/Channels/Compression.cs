using Grpc.Core;

namespace Mesh.Rpc;

/// <summary>Compression of what a client sends. Servers answer compressed only where <c>ResponseCompressionAlgorithm</c> is set.</summary>
public static class Compression
{
    /// <summary>Adds what makes the client compress the call's requests with gzip (the name is Grpc.Net.Client's own; it is not sent).</summary>
    public static Metadata WithGzip(this Metadata headers)
    {
        ArgumentNullException.ThrowIfNull(headers);
        headers.Add("grpc-internal-encoding-request", "gzip");
        return headers;
    }
}
