using System.Text.Json.Nodes;
using Mesh.Api;
using Mesh.Api.Schema;

namespace Mesh.Gateway.OpenApi;

/// <summary>Writes the Swagger 2 document: the paths and types of all group versions.</summary>
internal static class OpenApiV2
{
    private static readonly string[] PatchTypes =
        ["application/json-patch+json", "application/merge-patch+json", "application/strategic-merge-patch+json", "application/apply-patch+yaml"];

    public static JsonObject Document(IEnumerable<ApiResource> resources, ApiSchema schema, string version)
    {
        var types = new SchemaNodes(v3: false);
        var paths = new SortedDictionary<string, JsonObject>(StringComparer.Ordinal);
        foreach (var operation in resources.Where(r => r.Plural.Length > 0).SelectMany(r => Operation.Of(r, schema)))
        {
            if (!paths.TryGetValue(operation.Path, out var path))
            {
                paths[operation.Path] = path = [];
                if (Parameter.OfPath(operation.Path).ToList() is { Count: > 0 } inPath)
                    path["parameters"] = new JsonArray([.. inPath.Select(Node)]);
            }

            path[operation.Method] = Node(operation, types, schema);
        }

        return new JsonObject
        {
            ["swagger"] = "2.0",
            ["info"] = new JsonObject { ["title"] = "Kubernetes", ["version"] = version },
            ["paths"] = new JsonObject(paths.Select(p => KeyValuePair.Create(p.Key, (JsonNode?)p.Value))),
            ["definitions"] = types.Collected,
        };
    }

    private static JsonObject Node(Operation operation, SchemaNodes types, ApiSchema schema)
    {
        var parameters = new JsonArray([.. Parameter.Of(operation).Select(Node)]);
        var body = operation.Action switch
        {
            "post" or "put" when operation.Kind is { } kind => types.Type(kind.Type, [kind]),
            "patch" => types.Patch(),
            "delete" or "deletecollection" when schema.FindKind(string.Empty, "v1", "DeleteOptions") is { } options => types.Type(options.Type, [options]),
            _ => null,
        };
        if (body is not null)
            parameters.Add(new JsonObject { ["name"] = "body", ["in"] = "body", ["required"] = operation.Action is "post" or "put" or "patch", ["schema"] = body });

        var answer = operation.Answer is { } of ? types.Type(of.Type, [of]) : new JsonObject { ["type"] = "string" };
        var node = new JsonObject
        {
            ["description"] = $"{operation.Action} {operation.Resource.Kind}",
            ["consumes"] = operation.Action == "patch" ? new JsonArray([.. PatchTypes.Select(t => JsonValue.Create(t))]) : new JsonArray("*/*"),
            ["produces"] = new JsonArray("application/json", "application/yaml", "application/vnd.kubernetes.protobuf"),
            ["schemes"] = new JsonArray("https"),
            ["tags"] = new JsonArray((operation.Resource.Group.Length == 0 ? "core" : operation.Resource.Group.Split('.')[0]) + "_" + operation.Resource.Version),
            ["operationId"] = operation.Id,
            ["parameters"] = parameters,
            ["responses"] = new JsonObject
            {
                ["200"] = new JsonObject { ["description"] = "OK", ["schema"] = answer },
                ["401"] = new JsonObject { ["description"] = "Unauthorized" },
            },
            ["x-kubernetes-action"] = operation.Action,
        };
        if (operation.Kind is { } about)
            node["x-kubernetes-group-version-kind"] = SchemaNodes.GroupVersionKind(about.Group, about.Version, about.Kind);
        return node;
    }

    private static JsonObject Node(Parameter parameter)
    {
        var node = new JsonObject { ["name"] = parameter.Name, ["in"] = parameter.In, ["type"] = parameter.Type, ["description"] = parameter.Description };
        if (parameter.In == "path")
            node["required"] = true;
        node["uniqueItems"] = true;
        return node;
    }
}
