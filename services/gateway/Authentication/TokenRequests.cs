using System.Globalization;
using System.Text.Json.Nodes;
using Mesh.Api;
using Mesh.Gateway.Authorization;
using Mesh.Gateway.Storage;
using Mesh.Security;
using Mesh.Security.Tokens;

namespace Mesh.Gateway.Authentication;

/// <summary>
/// Tokens asked for and shown: serviceaccounts/token (TokenRequest), TokenReview, SelfSubjectReview. Nothing is stored.
/// </summary>
internal sealed class TokenRequests(
    ServiceAccountTokenIssuer issuer, IReadOnlyList<string> apiAudiences, SharedTokenVerifier verifier, IAuthenticator authenticator, IObjectReader objects, TimeProvider time)
{
    private static readonly ApiResource TokenRequest =
        new("authentication.k8s.io", "v1", "tokenrequests", "TokenRequest", true, [], [], []);

    /// <summary>POST serviceaccounts/NAME/token: the request with status.token and status.expirationTimestamp.</summary>
    public async ValueTask<JsonObject> IssueAsync(string ns, string name, JsonObject request, CancellationToken ct)
    {
        var account = await objects.GetAsync(RbacResources.ServiceAccounts, ns, name, ct)
            ?? await objects.GetFreshAsync(RbacResources.ServiceAccounts, ns, name, ct)
            ?? throw Statuses.NotFound(RbacResources.ServiceAccounts, name).ToException();
        var spec = request["spec"] as JsonObject;
        if (spec is null) request["spec"] = spec = [];
        var seconds = spec.Number("expirationSeconds") ?? ServiceAccountTokenIssuer.DefaultSeconds;
        spec["expirationSeconds"] = seconds;
        Check(seconds);
        if (spec.Texts("audiences").Length == 0) spec["audiences"] = JsonRead.Array(apiAudiences);
        var claims = await BindAsync(
            new ServiceAccountClaims { Namespace = ns, ServiceAccount = new BoundObject(name, account.Uid()), Audiences = spec.Texts("audiences") },
            spec["boundObjectRef"], ct);
        var (token, expires) = issuer.Issue(claims, seconds);
        request["metadata"] = new JsonObject
        {
            ["name"] = name,
            ["namespace"] = ns,
            ["creationTimestamp"] = Time(time.GetUtcNow()),
        };
        request["status"] = new JsonObject { ["expirationTimestamp"] = Time(expires), ["token"] = token };
        return request;
    }

    /// <summary>POST tokenreviews: whose token it is.</summary>
    public async ValueTask<JsonObject> ReviewAsync(JsonObject review, CancellationToken ct)
    {
        var token = review.Text("spec", "token");
        if (token.Length == 0) throw Statuses.BadRequest("token is required for TokenReview in authentication").ToException();
        var asked = review.Texts("spec", "audiences");
        var audiences = asked.Length == 0 ? apiAudiences : asked;
        var status = new JsonObject();
        review["status"] = status;
        var seen = await verifier.VerifyAsync(token, [.. audiences], ct);
        UserInfo? user = null;
        IEnumerable<string> met = [];
        if (seen.Claims is { } claims)
        {
            if (await ServiceAccountAuthenticator.WhyInvalidAsync(objects, claims, time.GetUtcNow(), ct) is { } why) status["error"] = $"[invalid bearer token, {why}]";
            else user = claims.ToUser().WithGroup(UserNames.Authenticated);
            met = audiences.Where(a => claims.Audiences.Contains(a));
        }
        else if (seen.IsOurs)
        {
            status["error"] = $"[invalid bearer token, {seen.Error}]";
        }
        else
        {
            user = await authenticator.AuthenticateAsync(new Credentials(token, null, static _ => null), ct);
            met = audiences.Where(apiAudiences.Contains);
            if (user is not null && !met.Any()) user = null;
        }

        if (user is null)
        {
            status["user"] = new JsonObject();
            status.TryAdd("error", "invalid bearer token");
            return review;
        }

        status["authenticated"] = true;
        status["user"] = Describe(user);
        status["audiences"] = JsonRead.Array(met);
        return review;
    }

    /// <summary>POST selfsubjectreviews: who the requester is (<c>kubectl auth whoami</c>).</summary>
    public JsonObject WhoAmI(JsonObject review, UserInfo user)
    {
        review["metadata"] = new JsonObject { ["creationTimestamp"] = Time(time.GetUtcNow()) };
        review["status"] = new JsonObject { ["userInfo"] = Describe(user) };
        return review;
    }

    private static void Check(long seconds)
    {
        FieldPath path = "spec.expirationSeconds";
        FieldError? error = seconds < ServiceAccountTokenIssuer.MinSeconds ? FieldError.Invalid(path, seconds, "may not specify a duration less than 10 minutes")
            : seconds > ServiceAccountTokenIssuer.MaxSeconds ? FieldError.Invalid(path, seconds, "may not specify a duration larger than 2^32 seconds")
            : null;
        if (error is not null) throw Statuses.Invalid(TokenRequest, "", [error]).ToException();
    }

    private async ValueTask<ServiceAccountClaims> BindAsync(ServiceAccountClaims claims, JsonNode? reference, CancellationToken ct)
    {
        if (reference is null) return claims;
        var kind = reference.Text("kind");
        var name = reference.Text("name");
        var resource = (reference.Text("apiVersion"), kind) switch
        {
            ("v1", "Pod") => RbacResources.Pods,
            ("v1", "Secret") => RbacResources.Secrets,
            ("v1", "Node") => RbacResources.Nodes,
            var (version, _) => throw Statuses.BadRequest($"cannot bind token to object of type {(version.Contains('/', StringComparison.Ordinal) ? "" : "/")}{version}, Kind={kind}").ToException(),
        };
        var ns = resource.Namespaced ? claims.Namespace : null;
        var bound = await objects.GetAsync(resource, ns, name, ct)
            ?? await objects.GetFreshAsync(resource, ns, name, ct)
            ?? throw Statuses.NotFound(resource, name).ToException();
        if (reference.Text("uid") is { Length: > 0 } uid && uid != bound.Uid())
        {
            throw Statuses.Conflict(resource, name, $"the UID in the bound object reference ({uid}) does not match the UID in record. The object might have been deleted and then recreated").ToException();
        }

        var found = new BoundObject(name, bound.Uid());
        if (kind == "Secret") return claims with { Secret = found };
        if (kind == "Node") return claims with { Node = found };
        if (bound.Text("spec", "serviceAccountName") != claims.ServiceAccount.Name)
        {
            throw Statuses.BadRequest($"cannot bind token for serviceaccount {GoText.Quote(claims.ServiceAccount.Name)} to pod running with different serviceaccount name.").ToException();
        }

        var nodeName = bound.Text("spec", "nodeName");
        if (nodeName.Length == 0) return claims with { Pod = found };
        var node = await objects.GetAsync(RbacResources.Nodes, null, nodeName, ct);
        return claims with { Pod = found, Node = new BoundObject(nodeName, node.Uid()) };
    }

    private static JsonObject Describe(UserInfo user)
    {
        var json = new JsonObject { ["username"] = user.Name };
        if (user.Uid.Length > 0) json["uid"] = user.Uid;
        if (user.Groups.Count > 0) json["groups"] = JsonRead.Array(user.Groups);
        if (user.Extra is null) return json;
        var extra = new JsonObject();
        foreach (var (key, values) in user.Extra) extra[key] = JsonRead.Array(values);
        json["extra"] = extra;
        return json;
    }

    private static string Time(DateTimeOffset time) => time.UtcDateTime.ToString("yyyy-MM-ddTHH:mm:ssZ", CultureInfo.InvariantCulture);
}
