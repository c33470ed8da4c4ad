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
                review["spec"] = new JsonObject();
                break;
            case "SelfSubjectAccessReview":
                Check(resource, review, ofSubject: false, null);
                review["status"] = await DecideAsync(review["spec"], user, ct);
                break;
            case "SubjectAccessReview":
                Check(resource, review, ofSubject: true, null);
                review["status"] = await DecideAsync(review["spec"], Subject(review["spec"]), ct);
                break;
            case "LocalSubjectAccessReview":
                Check(resource, review, ofSubject: true, ns);
                review["status"] = await DecideAsync(review["spec"], Subject(review["spec"]), ct);
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

    private static UserInfo Subject(JsonNode? spec) => new(spec.Text("user"), spec.Text("uid"), spec.Texts("groups"));

    /// <summary>What the reviews that decide have in common; ns is the namespace of a local one. Their kind is not named in the refusal.</summary>
    private static void Check(ApiResource resource, JsonObject review, bool ofSubject, string? ns)
    {
        var spec = review["spec"];
        var errors = new List<FieldError>();
        var (hasResource, hasPath) = (spec.At("resourceAttributes") is not null, spec.At("nonResourceAttributes") is not null);
        if (hasResource && hasPath)
            errors.Add(FieldError.Invalid("spec.nonResourceAttributes", spec.At("nonResourceAttributes"), "cannot be specified in combination with resourceAttributes"));
        if (!hasResource && !hasPath)
            errors.Add(FieldError.Invalid("spec.resourceAttributes", "null", "exactly one of nonResourceAttributes or resourceAttributes must be specified"));
        if (ofSubject && spec.Text("user").Length == 0 && spec.Texts("groups").Length == 0)
            errors.Add(FieldError.Invalid("spec.user", "", "at least one of user or group must be specified"));
        if (ns is not null && hasResource && spec.Text("resourceAttributes", "namespace") is var asked && asked != ns)
            errors.Add(FieldError.Invalid("spec.resourceAttributes.namespace", asked, "must match metadata.namespace"));
        if (ns is not null && hasPath)
            errors.Add(FieldError.Invalid("spec.nonResourceAttributes", spec.At("nonResourceAttributes"), "disallowed on this kind of request"));
        if (errors.Count > 0) throw Statuses.Invalid(resource.Group, "", "", errors).ToException();
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
