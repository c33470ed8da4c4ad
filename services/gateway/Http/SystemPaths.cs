using Mesh.Telemetry;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Mesh.Gateway.Http;

/// <summary>Paths that are no resources: version, health, metrics and the list of paths.</summary>
internal sealed class SystemPaths(HealthRegistry health, MetricsRegistry metrics, ILogger<SystemPaths> logger)
{
    private static readonly byte[] Root = System.Text.Encoding.UTF8.GetBytes(
        """{"paths":["/api","/api/v1","/apis","/healthz","/livez","/metrics","/openapi/v2","/openapi/v3","/readyz","/version"]}""");

    /// <summary>Answers such a path; false for others.</summary>
    public async ValueTask<bool> TryHandleAsync(HttpContext http, CancellationToken ct)
    {
        switch (http.Request.Path.Value)
        {
            case "/version" or "/version/":
                await ResponseWriter.WriteAsync(http, 200, VersionInfo.Document, Representation.Json, ct);
                return true;
            case "/":
                await ResponseWriter.WriteAsync(http, 200, Root, Representation.Json, ct);
                return true;
            case "/metrics":
                await MetricsHttp.WriteAsync(http, metrics);
                return true;
            default:
                return await HealthHttp.TryHandleAsync(http, health, logger);
        }
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
