using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.Logging;

namespace Mesh.Telemetry;

/// <summary>
/// The health endpoints as Kubernetes answers them: <c>ok</c>, or with <c>?verbose</c> one line a check
/// (<c>[+]ping ok</c>, <c>[-]etcd failed: reason withheld</c>) and a verdict; 500 when a check fails. <c>?exclude=name</c> leaves checks out,
/// <c>/livez/name</c> asks a single one.
/// </summary>
public static partial class HealthHttp
{
    private static readonly (string Name, HealthEndpoints Endpoint)[] s_endpoints =
        [("healthz", HealthEndpoints.Healthz), ("livez", HealthEndpoints.Livez), ("readyz", HealthEndpoints.Readyz)];

    /// <summary>Maps <c>/healthz</c>, <c>/livez</c> and <c>/readyz</c>.</summary>
    public static void MapMeshHealth(this IEndpointRouteBuilder routes, HealthRegistry registry, ILogger logger)
    {
        foreach (var (name, _) in s_endpoints)
        {
            RequestDelegate handler = async context => await TryHandleAsync(context, registry, logger);
            routes.Map("/" + name, handler);
            routes.Map("/" + name + "/{check}", handler);
        }
    }

    /// <summary>Answers a health request; false when the path is none. For servers with a pipeline of their own.</summary>
    public static async Task<bool> TryHandleAsync(HttpContext context, HealthRegistry registry, ILogger logger)
    {
        ArgumentNullException.ThrowIfNull(context);
        ArgumentNullException.ThrowIfNull(registry);
        foreach (var (name, endpoint) in s_endpoints)
        {
            if (!context.Request.Path.StartsWithSegments("/" + name, out var rest)) continue;
            await AnswerAsync(context, registry, logger, name, endpoint, rest.HasValue ? rest.Value!.Trim('/') : "");
            return true;
        }
        return false;
    }

    private static async Task AnswerAsync(
        HttpContext context, HealthRegistry registry, ILogger logger, string name, HealthEndpoints endpoint, string single)
    {
        var response = context.Response;
        if (single.Length > 0 && !registry.Checks.Any(c => c.Name == single && (c.Endpoints & endpoint) != 0))
        {
            response.StatusCode = StatusCodes.Status404NotFound;
            response.ContentType = "text/plain; charset=utf-8";
            await response.WriteAsync("404 page not found\n", context.RequestAborted);
            return;
        }
        string[] excluded = single.Length > 0
            ? [.. registry.Checks.Select(c => c.Name).Where(n => n != single)]
            : [.. context.Request.Query["exclude"].OfType<string>()];
        var results = await registry.RunAsync(endpoint, excluded, context.RequestAborted);
        var failed = results.Any(r => r.Failure is not null);
        if (failed && logger.IsEnabled(LogLevel.Information))
            LogFailed(logger, name, string.Join(",", results.Where(r => r.Failure is not null).Select(r => $"{r.Name}: {r.Failure}")));

        response.StatusCode = failed ? StatusCodes.Status500InternalServerError : StatusCodes.Status200OK;
        response.ContentType = "text/plain; charset=utf-8";
        response.Headers.XContentTypeOptions = "nosniff";
        response.Headers.CacheControl = "no-cache, private";
        var body = !failed && (single.Length > 0 || !context.Request.Query.ContainsKey("verbose")) ? "ok"
            : single.Length > 0 ? "internal server error: reason withheld\n"
            : Report(name, results, failed);
        await response.WriteAsync(body, context.RequestAborted);
    }

    private static string Report(string name, IReadOnlyList<HealthResult> results, bool failed)
    {
        var text = new StringBuilder();
        foreach (var result in results)
        {
            if (result.Excluded) text.Append("[+]").Append(result.Name).Append(" excluded: ok\n");
            else if (result.Failure is null) text.Append("[+]").Append(result.Name).Append(" ok\n");
            else text.Append("[-]").Append(result.Name).Append(" failed: reason withheld\n");
        }
        return text.Append(name).Append(failed ? " check failed\n" : " check passed\n").ToString();
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "{Endpoint} check failed: {Failures}")]
    private static partial void LogFailed(ILogger logger, string endpoint, string failures);
}
