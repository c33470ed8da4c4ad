using Grpc.Core;
using Mesh.Api;
using Mesh.Gateway.Authentication;
using Mesh.Gateway.Authorization;
using Mesh.Gateway.Http;
using Mesh.Gateway.Registry;
using Mesh.Rpc.V1;
using Mesh.Security;
using Microsoft.AspNetCore.Http;

namespace Mesh.Gateway.Rpc;

/// <summary>Who calls and may they: the same authentication, impersonation and authorization as REST.</summary>
internal sealed class RpcAccess(IAuthenticator authenticator, IAuthorizer authorizer, ServedResources served)
{
    /// <summary>The caller.</summary>
    /// <exception cref="ApiException">401.</exception>
    public async ValueTask<UserInfo> WhoAsync(ServerCallContext call)
    {
        var http = call.GetHttpContext();
        var user = await authenticator.AuthenticateAsync(CredentialsOf.Request(http), call.CancellationToken) ?? throw new ApiException(Statuses.Unauthorized());
        return await Impersonation.ApplyAsync(user, CredentialsOf.Headers(http), authorizer, call.CancellationToken);
    }

    /// <summary>Refuses what the user may not do.</summary>
    /// <exception cref="ApiException">403.</exception>
    public async ValueTask CheckAsync(UserInfo user, string verb, ApiResource resource, string ns, string name, string subresource, CancellationToken ct, string fieldSelector = "", string labelSelector = "")
    {
        var attributes = new AuthorizationAttributes
        {
            User = user,
            Verb = verb,
            Group = resource.Group,
            Version = resource.Version,
            Resource = resource.Plural,
            Subresource = subresource,
            // A namespace object is in itself, as in REST.
            Namespace = resource.Plural == "namespaces" && resource.Group.Length == 0 ? name : ns,
            Name = name,
            FieldSelector = fieldSelector,
            LabelSelector = labelSelector,
        };
        var result = await authorizer.AuthorizeAsync(attributes, ct);
        if (!result.Allowed) throw new ApiException(Refusal.For(attributes, result));
    }

    /// <summary>The resource a message names.</summary>
    /// <exception cref="ApiException">404.</exception>
    public ApiResource Find(Resource? resource) =>
        (resource is null ? null : served.Find(resource.Group, resource.Version, resource.Resource_)) ?? throw new ApiException(Statuses.NoSuchResource());
}
