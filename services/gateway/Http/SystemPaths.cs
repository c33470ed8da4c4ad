using System.Buffers;
using System.Text.Json;
using System.Text.Json.Nodes;
using Mesh.Api;
using Mesh.Gateway.Registry;
using Mesh.Telemetry;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Mesh.Gateway.Http;

/// <summary>Paths that are no resources: version, health, metrics and the list of paths.</summary>
internal sealed class SystemPaths(ServedResources served, HealthRegistry health, MetricsRegistry metrics, ILogger<SystemPaths> logger)
{
    private static readonly string[] Fixed =
    [
        "/.well-known/openid-configuration", "/api", "/apis", "/apis/", "/healthz", "/livez", "/metrics", "/openapi/v2", "/openapi/v3", "/openapi/v3/", "/openid/v1/jwks", "/readyz", "/version",
    ];

    private readonly byte[] root = Paths(served);

    /// <summary>Answers such a path; false for others.</summary>
    public async ValueTask<bool> TryHandleAsync(HttpContext http, CancellationToken ct)
    {
        switch (http.Request.Path.Value)
        {
            case "/version" or "/version/":
                if (!HttpMethods.IsGet(http.Request.Method)) throw new ApiException(Statuses.MethodNotAllowed());
                var accept = http.Request.Headers.Accept.ToString();
                if (accept.Length > 0 && !MediaRange.ParseList(accept).Any(static r => Representation.FormatOf(r.Type, hasProtobuf: false) == BodyFormat.Json))
                    throw new ApiException(Statuses.NotAcceptableShape("406: Not Acceptable"));
                await ResponseWriter.WriteDocumentAsync(http, VersionInfo.Document, ct);
                return true;
            case "/":
                await ResponseWriter.WriteDocumentAsync(http, root, ct);
                return true;
            case "/metrics":
                await MetricsHttp.WriteAsync(http, metrics);
                return true;
            case { } other when other.EndsWith('/'):
                return false;
            default:
                return await HealthHttp.TryHandleAsync(http, health, logger);
        }
    }

    /// <summary>All paths but those of resources, for people: indented as by Go.</summary>
    private static byte[] Paths(ServedResources served)
    {
        var groups = served.All.SelectMany(static r => r.Group.Length == 0 ? [$"/api/{r.Version}"] : new[] { $"/apis/{r.Group}", $"/apis/{r.Group}/{r.Version}" });
        var paths = Fixed.Concat(groups).Distinct().Order(StringComparer.Ordinal).Select(static p => (JsonNode)p).ToArray();
        var buffer = new ArrayBufferWriter<byte>();
        using (var writer = new Utf8JsonWriter(buffer, ResponseWriter.Indented)) new JsonObject { ["paths"] = new JsonArray(paths) }.WriteTo(writer);
        return buffer.WrittenSpan.ToArray();
    }

    /// <summary>What Kubernetes says to unknown paths.</summary>
    public static async ValueTask NotFoundAsync(HttpContext http, CancellationToken ct)
    {
        http.Response.StatusCode = 404;
        http.Response.ContentType = "text/plain; charset=utf-8";
        http.Response.Headers["X-Content-Type-Options"] = "nosniff";
        await http.Response.WriteAsync("404 page not found\n", ct);
    }
}
