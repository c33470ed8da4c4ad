using System.Text;
using System.Text.Json.Nodes;
using Mesh.Api;
using Microsoft.AspNetCore.Http;

namespace Mesh.Gateway.Http;

/// <summary>OpenID discovery of service account tokens: /.well-known/openid-configuration and /openid/v1/jwks.</summary>
internal sealed class OpenIdDocuments(GatewayOptions options, GatewayPki pki) : IApiDocuments
{
    /// <inheritdoc/>
    public async ValueTask<bool> TryHandleAsync(HttpContext context, CancellationToken ct)
    {
        JsonObject document;
        var type = "application/json";
        switch (context.Request.Path.Value?.TrimEnd('/'))
        {
            case "/.well-known/openid-configuration":
                document = new JsonObject
                {
                    ["issuer"] = options.ServiceAccountIssuer,
                    ["jwks_uri"] = options.ServiceAccountIssuer + "/openid/v1/jwks",
                    ["response_types_supported"] = new JsonArray("id_token"),
                    ["subject_types_supported"] = new JsonArray("public"),
                    ["id_token_signing_alg_values_supported"] = new JsonArray(pki.SigningKey.Algorithm),
                };
                break;
            case "/openid/v1/jwks":
                type = "application/jwk-set+json";
                document = new JsonObject { ["keys"] = new JsonArray(pki.SigningKey.ToJsonWebKey()) };
                break;
            default: return false;
        }

        if (!HttpMethods.IsGet(context.Request.Method)) throw new ApiException(Statuses.MethodNotAllowed());
        await ResponseWriter.WriteDocumentAsync(context, Encoding.UTF8.GetBytes(document.ToJsonString()), ct, type, "public, max-age=3600");
        return true;
    }
}
