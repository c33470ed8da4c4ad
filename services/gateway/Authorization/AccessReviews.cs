using System.Text.Json.Nodes;
using Mesh.Api;
using Mesh.Security;
using Mesh.Security.Rbac;

namespace Mesh.Gateway.Authorization;

/// <summary>
/// Answers the reviews of authorization.k8s.io: may somebody (SubjectAccessReview), may I (SelfSubjectAccessReview), what may I
/// (SelfSubjectRulesReview). Nothing is stored: the answer is the request with its status.
/// </summary>
internal sealed class AccessReviews(IAuthorizer authorizer, RbacAuthorizer rbac)
{
    /// <summary>The review with its status filled in; ns is the namespace of the request, empty for the cluster-wide kinds.</summary>
    public async ValueTask<JsonObject> CreateAsync(ApiResource resource, string ns, JsonObject review, UserInfo user, CancellationToken ct)
    {
        review.Remove("status");
        switch (resource.Kind)
        {
            case "SelfSubjectRulesReview":
                review["status"] = await RulesAsync(review, user, ct);
                break;
            case "SelfSubjectAccessReview":
                CheckAttributes(resource, review, null);
                review["status"] = await DecideAsync(review["spec"], user, ct);
                break;
            case "SubjectAccessReview":
                CheckAttributes(resource, review, null);
                review["status"] = await DecideAsync(review["spec"], Subject(resource, review), ct);
                break;
            case "LocalSubjectAccessReview":
                CheckAttributes(resource, review, ns);
                review["status"] = await DecideAsync(review["spec"], Subject(resource, review), ct);
                break;
            default: throw Statuses.MethodNotSupported(resource.Group, resource.Plural, "create").ToException();
        }

        return review;
    }

    private async ValueTask<JsonObject> DecideAsync(JsonNode? spec, UserInfo user, CancellationToken ct)
    {
        var result = await authorizer.AuthorizeAsync(ToAttributes(spec, user), ct);
        var status = new JsonObject { ["allowed"] = result.Allowed };
        if (result.Decision == AuthorizationDecision.Deny) status["denied"] = true;
        if (result.Reason.Length > 0) status["reason"] = result.Reason;
        if (result.EvaluationError is { Length: > 0 } error) status["evaluationError"] = error;
        return status;
    }

    private static AuthorizationAttributes ToAttributes(JsonNode? spec, UserInfo user)
    {
        if (spec.At("nonResourceAttributes") is { } path)
        {
            return new AuthorizationAttributes { User = user, IsResourceRequest = false, Verb = path.Text("verb"), Path = path.Text("path") };
        }

        var resource = spec.At("resourceAttributes");
        return new AuthorizationAttributes
        {
            User = user,
            Verb = resource.Text("verb"),
            Namespace = resource.Text("namespace"),
            Group = resource.Text("group"),
            Version = resource.Text("version") is { Length: > 0 } version ? version : "*",
            Resource = resource.Text("resource"),
            Subresource = resource.Text("subresource"),
            Name = resource.Text("name"),
        };
    }

    private static UserInfo Subject(ApiResource resource, JsonObject review)
    {
        var spec = review["spec"];
        var name = spec.Text("user");
        var groups = spec.Texts("groups");
        if (name.Length == 0 && groups.Length == 0)
        {
            throw Statuses.Invalid(resource, "", [FieldError.Invalid("spec.user", "", "at least one of user or group must be specified")]).ToException();
        }

        return new UserInfo(name, spec.Text("uid"), groups);
    }

    private static void CheckAttributes(ApiResource resource, JsonObject review, string? ns)
    {
        var spec = review["spec"];
        var hasResource = spec.At("resourceAttributes") is not null;
        var hasPath = spec.At("nonResourceAttributes") is not null;
        if (hasResource == hasPath)
        {
            var message = hasResource ? "cannot be specified in combination with resourceAttributes" : "exactly one of nonResourceAttributes or resourceAttributes must be specified";
            FieldPath path = hasResource ? "spec.nonResourceAttributes" : "spec.resourceAttributes";
            throw Statuses.Invalid(resource, "", [FieldError.Invalid(path, "", message)]).ToException();
        }

        if (ns is not null && spec.Text("resourceAttributes", "namespace") is var asked && asked != ns)
        {
            throw Statuses.Invalid(resource, "", [FieldError.Invalid("spec.resourceAttributes.namespace", asked, "must match metadata.namespace")]).ToException();
        }
    }

    private async ValueTask<JsonObject> RulesAsync(JsonObject review, UserInfo user, CancellationToken ct)
    {
        var ns = review.Text("spec", "namespace");
        if (ns.Length == 0) throw Statuses.BadRequest("no namespace on request").ToException();
        var resources = new JsonArray();
        var paths = new JsonArray();
        IReadOnlyList<RbacRule> rules = user.InGroup(UserNames.Masters)
            ? [new RbacRule(["*"], ["*"], ["*"], [], []), new RbacRule(["*"], [], [], [], ["*"])]
            : (await rbac.PolicyAsync(ct)).RulesFor(user, ns);
        foreach (var rule in rules)
        {
            if (rule.Resources.Count > 0) resources.Add(RbacJson.WriteRule(rule with { NonResourceUrls = [] }));
            if (rule.NonResourceUrls.Count > 0) paths.Add(RbacJson.WriteRule(new RbacRule(rule.Verbs, [], [], [], rule.NonResourceUrls)));
        }

        return new JsonObject { ["resourceRules"] = resources, ["nonResourceRules"] = paths, ["incomplete"] = false };
    }
}
