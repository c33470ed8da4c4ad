using System.Globalization;
using Grpc.Core;

namespace Mesh.Rpc.Lean;

/// <summary>An answer's header block, decoded: of its beginning, or of its end (trailers), or both in one. Immutable: answers whose blocks are the same bytes share one.</summary>
internal sealed class AnswerHead
{
    private readonly List<(string Name, string Value)> _fields = [];

    public AnswerHead(List<(string Name, string Value)> fields)
    {
        string? code = null, message = null;
        foreach (var (name, value) in fields)
        {
            switch (name)
            {
                case ":status": HttpStatus = int.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out var status) ? status : 0; break;
                case "content-type": IsGrpc = value.StartsWith("application/grpc", StringComparison.Ordinal); break;
                case "grpc-encoding": Encoding = value; break;
                case "grpc-status": code = value; break;
                case "grpc-message": message = value; break;
                default:
                    if (name.StartsWith(':')) throw new Http2Exception(Http2Error.Protocol, "unknown pseudo-header " + name);
                    _fields.Add((name, value));
                    break;
            }
        }

        if (code is null) return;
        var known = int.TryParse(code, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number is >= 0 and <= 16;
        Outcome = new Status(known ? (StatusCode)number : StatusCode.Unknown, message is null ? "" : Uri.UnescapeDataString(message));
    }

    /// <summary>:status; 0 in trailers.</summary>
    public int HttpStatus { get; }

    public bool IsGrpc { get; }

    /// <summary>The message encoding, or null.</summary>
    public string? Encoding { get; }

    /// <summary>grpc-status and grpc-message, when they are there.</summary>
    public Status? Outcome { get; }

    /// <summary>What is not HTTP/2's or gRPC's own.</summary>
    public Metadata ToMetadata() => HeaderFields.ToMetadata(_fields);

    /// <summary>What an answer that is no gRPC means (as gRPC's mapping of HTTP codes has it).</summary>
    public Status Foreign() => new(
        HttpStatus switch
        {
            400 => StatusCode.Internal,
            401 => StatusCode.Unauthenticated,
            403 => StatusCode.PermissionDenied,
            404 => StatusCode.Unimplemented,
            429 or 502 or 503 or 504 => StatusCode.Unavailable,
            _ => StatusCode.Unknown,
        },
        $"Bad gRPC response. HTTP status code: {HttpStatus}");
}
