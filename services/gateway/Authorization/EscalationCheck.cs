using System.Text.Json.Nodes;
using Mesh.Api;
using Mesh.Gateway.Admission;
using Mesh.Security;
using Mesh.Security.Rbac;

namespace Mesh.Gateway.Authorization;

/// <summary>
/// Nobody gives away what they do not hold: writers of roles need each rule in them (or the verb escalate), writers of bindings each
/// rule of the role they bind (or the verb bind on it). Runs as an admission step, after all mutation.
/// </summary>
internal sealed class EscalationCheck(RbacAuthorizer rbac, IAuthorizer authorizer) : IAdmissionPlugin
{
    /// <inheritdoc/>
    public string Name => "RBACEscalation";

    /// <inheritdoc/>
    public bool Handles(AdmissionOperation operation, ApiResource resource, string subresource) =>
        operation is AdmissionOperation.Create or AdmissionOperation.Update && subresource.Length == 0 && resource.Group == RbacResources.Group;

    /// <inheritdoc/>
    public ValueTask AdmitAsync(AdmissionAttributes attributes, CancellationToken ct) => ValueTask.CompletedTask;

    /// <inheritdoc/>
    public async ValueTask ValidateAsync(AdmissionAttributes attributes, CancellationToken ct)
    {
        if (attributes.Object is not { } obj || attributes.User.InGroup(UserNames.Masters)) return;
        if (attributes.Resource.Plural is "roles" or "clusterroles") await RoleAsync(attributes, obj, ct);
        else await BindingAsync(attributes, obj, ct);
    }

    private async ValueTask RoleAsync(AdmissionAttributes a, JsonObject role, CancellationToken ct)
    {
        // An update that leaves the rules alone (labels, owner references) gives nothing away.
        if (a.OldObject is { } old && JsonNode.DeepEquals(old["rules"], role["rules"]) && JsonNode.DeepEquals(old["aggregationRule"], role["aggregationRule"])) return;
        var verb = new AuthorizationAttributes
        {
            User = a.User,
            Verb = "escalate",
            Group = RbacResources.Group,
            Version = "v1",
            Resource = a.Resource.Plural,
            Namespace = a.Namespace ?? "",
            Name = role.Name(),
        };
        if ((await authorizer.AuthorizeAsync(verb, ct)).Allowed) return;
        var policy = await rbac.PolicyAsync(ct);
        var held = policy.RulesFor(a.User, a.Namespace ?? "");
        var missing = RuleCover.Missing(held, RbacJson.ReadRules(role));
        if (missing.Count > 0) throw Refused(a, RuleCover.Describe(missing));

        // Whoever may sum up roles by label gets whatever they will ever say.
        if (role["aggregationRule"] is not null && !JsonNode.DeepEquals(a.OldObject?["aggregationRule"], role["aggregationRule"]))
        {
            var all = RuleCover.Missing(held, [new RbacRule(["*"], ["*"], ["*"], [], []), new RbacRule(["*"], [], [], [], ["*"])]);
            if (all.Count > 0) throw Refused(a, "must have cluster-admin privileges to use the aggregationRule");
        }
    }

    private async ValueTask BindingAsync(AdmissionAttributes a, JsonObject binding, CancellationToken ct)
    {
        if (a.OldObject is { } old && JsonNode.DeepEquals(old["roleRef"], binding["roleRef"]) && JsonNode.DeepEquals(old["subjects"], binding["subjects"])) return;
        var kind = binding.Text("roleRef", "kind");
        var name = binding.Text("roleRef", "name");
        var verb = new AuthorizationAttributes
        {
            User = a.User,
            Verb = "bind",
            Group = RbacResources.Group,
            Version = "v1",
            Resource = kind == "ClusterRole" ? "clusterroles" : "roles",
            Namespace = a.Namespace ?? "",
            Name = name,
        };
        if ((await authorizer.AuthorizeAsync(verb, ct)).Allowed) return;
        var policy = await rbac.PolicyAsync(ct);
        var wanted = policy.RulesOf(kind, name, a.Namespace);
        if (wanted is null) throw Statuses.NotFound(RbacResources.Group, kind == "ClusterRole" ? "clusterroles" : "roles", name).ToException();
        var missing = RuleCover.Missing(policy.RulesFor(a.User, a.Namespace ?? ""), wanted);
        if (missing.Count > 0) throw Refused(a, RuleCover.Describe(missing));
    }

    private static ApiException Refused(AdmissionAttributes a, string what)
    {
        var groups = string.Join(' ', a.User.Groups.Select(g => GoText.Quote(g)));
        return Statuses.Forbidden(a.Resource.Group, a.Resource.Plural, a.Object.Name(), $"user {GoText.Quote(a.User.Name)} (groups=[{groups}]) is {what}").ToException();
    }
}
