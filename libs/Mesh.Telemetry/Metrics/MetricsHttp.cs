using System.Diagnostics.Metrics;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace Mesh.Telemetry;

/// <summary>Metrics in a service: the meters and the endpoint that shows them.</summary>
public static class MetricsHttp
{
    /// <summary>Adds the registry, which is also the container's <see cref="IMeterFactory"/>: instruments made through it are exported by this service alone.</summary>
    public static IServiceCollection AddMeshMetrics(this IServiceCollection services)
    {
        services.TryAddSingleton(provider => new MetricsRegistry(provider.GetService<TimeProvider>() ?? TimeProvider.System));
        services.Replace(ServiceDescriptor.Singleton<IMeterFactory>(provider => provider.GetRequiredService<MetricsRegistry>()));
        return services;
    }

    /// <summary>Maps <c>/metrics</c>.</summary>
    public static void MapMeshMetrics(this IEndpointRouteBuilder routes, string path = "/metrics")
    {
        ArgumentNullException.ThrowIfNull(routes);
        var registry = routes.ServiceProvider.GetRequiredService<MetricsRegistry>();
        routes.Map(path, (RequestDelegate)(context => WriteAsync(context, registry)));
    }

    /// <summary>Answers with the registry's metrics. For servers with a pipeline of their own.</summary>
    public static async Task WriteAsync(HttpContext context, MetricsRegistry registry)
    {
        ArgumentNullException.ThrowIfNull(context);
        ArgumentNullException.ThrowIfNull(registry);
        context.Response.ContentType = "text/plain; version=0.0.4; charset=utf-8";
        if (HttpMethods.IsHead(context.Request.Method)) return;
        registry.Write(context.Response.BodyWriter);
        await context.Response.BodyWriter.FlushAsync(context.RequestAborted);
    }
}
