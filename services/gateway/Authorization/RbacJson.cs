using System.Text.Json.Nodes;
using Mesh.Security.Rbac;

namespace Mesh.Gateway.Authorization;

/// <summary>Rules between JSON and the form that is evaluated.</summary>
internal static class RbacJson
{
    public static RbacRule[] ReadRules(JsonNode? role) => [.. role.Objects("rules").Select(ReadRule)];

    public static RbacRule ReadRule(JsonObject rule) => new(
        rule.Texts("verbs"), rule.Texts("apiGroups"), rule.Texts("resources"), rule.Texts("resourceNames"), rule.Texts("nonResourceURLs"));

    public static JsonObject WriteRule(RbacRule rule)
    {
        var json = new JsonObject();
        Add("apiGroups", rule.ApiGroups);
        Add("nonResourceURLs", rule.NonResourceUrls);
        Add("resourceNames", rule.ResourceNames);
        Add("resources", rule.Resources);
        Add("verbs", rule.Verbs);
        return json;

        void Add(string name, IReadOnlyList<string> values)
        {
            if (values.Count > 0) json[name] = JsonRead.Array(values);
        }
    }

    public static RbacRequest ToRequest(AuthorizationAttributes a) => a.IsResourceRequest
        ? new RbacRequest(a.Verb, a.Namespace, a.Group, a.Resource, a.Subresource, a.Name)
        : RbacRequest.ForPath(a.Verb, a.Path);
}
