using Mesh.Api;
using Mesh.Gateway.Http;
using Mesh.Gateway.Registry;
using Microsoft.AspNetCore.Http;

namespace Mesh.Gateway.Discovery;

/// <summary>Serves /api, /apis and the lists below them; aggregated to whoever asks for apidiscovery.k8s.io/v2.</summary>
internal sealed class DiscoveryHandler(ServedResources served, SharedDocuments shared) : IApiDocuments
{
    private readonly DiscoveryDocuments documents = new(served.All);

    /// <inheritdoc/>
    public async ValueTask<bool> TryHandleAsync(HttpContext context, CancellationToken ct)
    {
        if (!HttpMethods.IsGet(context.Request.Method) && !HttpMethods.IsHead(context.Request.Method))
            return false;
        var parts = (context.Request.Path.Value ?? string.Empty).Trim('/').Split('/');
        var aggregated = WantsAggregated(context.Request.Headers.Accept.ToString());
        var document = parts switch
        {
            ["api"] => aggregated ? await shared.GetAsync("aggregated core", () => documents.AggregatedCore, ct) : DiscoveryDocuments.CoreVersions($"{context.Connection.LocalIpAddress}:{context.Connection.LocalPort}"),
            ["apis"] => aggregated ? await shared.GetAsync("aggregated groups", () => documents.AggregatedGroups, ct) : documents.Groups,
            ["api", var version] => documents.Resources(string.Empty, version),
            ["apis", var group] => documents.Group(group),
            ["apis", var group, var version] => documents.Resources(group, version),
            _ => null,
        };
        if (document is null)
            return false;
        var isAggregated = aggregated && parts.Length == 1;
        if (!isAggregated) CheckAccepted(context.Request.Headers.Accept.ToString());
        await DocumentResponse.SendAsync(context, document, isAggregated ? DiscoveryDocuments.AggregatedContentType : "application/json", ct);
        return true;
    }

    /// <summary>Refuses who takes no form at all that there is; whoever would rather have another than JSON gets JSON, and is told so.</summary>
    /// <exception cref="ApiException">406.</exception>
    private static void CheckAccepted(string accept)
    {
        // Shapes that only later or earlier servers know are no reason to refuse: the plain document stands in for them.
        if (accept.Contains("as=", StringComparison.Ordinal) || Representation.Negotiate(accept, allowShapes: false, hasProtobuf: true) is not null) return;
        throw new ApiException(Statuses.NotAcceptable(Representation.Offered(hasProtobuf: true)));
    }

    // The first offer that we know wins; the finished version is the only aggregated one served.
    internal static bool WantsAggregated(string accept)
    {
        foreach (var offer in accept.Split(','))
        {
            var parameters = offer.Split(';', StringSplitOptions.TrimEntries);
            if (parameters[0] is not ("application/json" or "*/*" or "application/*"))
                continue;
            if (parameters.Contains("as=APIGroupDiscoveryList"))
            {
                if (parameters.Contains("g=apidiscovery.k8s.io") && parameters.Contains("v=v2"))
                    return true;
                continue;
            }

            return false;
        }

        return false;
    }
}
