using Mesh.Api;
using Mesh.Gateway.Http;
using Mesh.Gateway.Registry;
using Microsoft.AspNetCore.Http;

namespace Mesh.Gateway.Discovery;

/// <summary>Serves /api, /apis and the lists below them in every encoding; aggregated to whoever asks for apidiscovery.k8s.io/v2.</summary>
internal sealed class DiscoveryHandler(ServedResources served, SharedDocuments shared) : IApiDocuments
{
    private readonly DiscoveryDocuments documents = new(served.All);

    /// <inheritdoc/>
    public async ValueTask<bool> TryHandleAsync(HttpContext context, CancellationToken ct)
    {
        var parts = (context.Request.Path.Value ?? string.Empty).Trim('/').Split('/');
        if (parts[0] is not ("api" or "apis")) return false;
        var accept = context.Request.Headers.Accept.ToString();
        if (parts.Length == 1 && AggregatedForm(accept) is { } form)
        {
            var isCore = parts[0] == "api";
            var all = await shared.GetAsync(isCore ? "aggregated core" : "aggregated groups", () => isCore ? documents.AggregatedCore : documents.AggregatedGroups, ct);
            await DocumentResponse.SendNegotiatedAsync(context, all, form, DiscoveryDocuments.AggregatedParameters, ct);
            return true;
        }

        var document = parts switch
        {
            ["api"] => DiscoveryDocuments.CoreVersions($"{context.Connection.LocalIpAddress}:{context.Connection.LocalPort}"),
            ["apis"] => documents.Groups,
            ["api", var version] => documents.Resources(string.Empty, version),
            ["apis", var group] => documents.Group(group),
            ["apis", var group, var version] => documents.Resources(group, version),
            _ => null,
        };
        if (document is null) return IsOurs(parts) ? throw new ApiException(Statuses.NoSuchResource()) : false;
        // Lists of groups are given for any method, as by Kubernetes.
        if (!HttpMethods.IsGet(context.Request.Method) && parts is not ["apis"] and not ["apis", _]) throw new ApiException(Statuses.MethodNotAllowed());
        var legacy = Representation.Negotiate(accept, allowShapes: false, hasProtobuf: true) ?? throw new ApiException(Statuses.NotAcceptable(Representation.Offered(hasProtobuf: true)));
        var body = document.In(legacy.Format);
        await ResponseWriter.WriteAsync(context, 200, body, legacy with { Pretty = Representation.IsPretty(context.Request) }, ct);
        return true;
    }

    /// <summary>The encoding in which aggregated discovery is asked for; null when something plain, or nothing that there is, comes first. Only the finished version is served.</summary>
    internal static Representation? AggregatedForm(string accept)
    {
        foreach (var range in MediaRange.ParseList(accept))
        {
            if (Representation.FormatOf(range.Type, hasProtobuf: true) is not { } format) continue;
            if (range.As.Length == 0) return null;
            if (range is { As: "APIGroupDiscoveryList", Group: "apidiscovery.k8s.io", Version: "v2" }) return new Representation(format, ObjectShape.Full);
        }

        return null;
    }

    // Below the core group and below every group that is served somebody is there to say no.
    private bool IsOurs(string[] parts) => parts[0] == "api" || (parts.Length > 2 && documents.Group(parts[1]) is not null);
}
