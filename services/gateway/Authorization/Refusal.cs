using Mesh.Api;
using Mesh.Api.Meta.V1;

namespace Mesh.Gateway.Authorization;

/// <summary>The 403 that a refused request gets, in Kubernetes' words.</summary>
internal static class Refusal
{
    /// <summary>The whole Status: <c>pods is forbidden: User "x" cannot list resource "pods" in API group "" in the namespace "default"</c>.</summary>
    public static Status For(AuthorizationAttributes attributes, AuthorizationResult result)
    {
        var message = Describe(attributes);
        if (result.Reason.Length > 0) message = $"{message}: {result.Reason}";
        return attributes.IsResourceRequest
            ? Statuses.Forbidden(attributes.Group, attributes.Resource, attributes.Name, message)
            : Statuses.Forbidden("", "", "", message);
    }

    private static string Describe(AuthorizationAttributes a)
    {
        var user = GoText.Quote(a.User.Name);
        if (!a.IsResourceRequest) return $"User {user} cannot {a.Verb} path {GoText.Quote(a.Path)}";
        var resource = GoText.Quote(a.Subresource.Length == 0 ? a.Resource : $"{a.Resource}/{a.Subresource}");
        var place = a.Namespace.Length == 0 ? "at the cluster scope" : $"in the namespace {GoText.Quote(a.Namespace)}";
        return $"User {user} cannot {a.Verb} resource {resource} in API group {GoText.Quote(a.Group)} {place}";
    }
}
