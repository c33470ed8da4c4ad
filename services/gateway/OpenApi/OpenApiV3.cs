using System.Text.Json.Nodes;
using Mesh.Api;
using Mesh.Api.Schema;

namespace Mesh.Gateway.OpenApi;

/// <summary>Writes one OpenAPI 3 document: the paths and types of one group version.</summary>
internal static class OpenApiV3
{
    private static readonly string[] PatchTypes =
        ["application/json-patch+json", "application/merge-patch+json", "application/strategic-merge-patch+json", "application/apply-patch+yaml"];

    public static JsonObject Document(IReadOnlyList<ApiResource> resources, ApiSchema schema, string version)
    {
        var types = new SchemaNodes(v3: true);
        var paths = new SortedDictionary<string, JsonObject>(StringComparer.Ordinal);
        foreach (var operation in resources.SelectMany(r => Operation.Of(r, schema)))
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
            ["openapi"] = "3.0.0",
            ["info"] = new JsonObject { ["title"] = "Kubernetes", ["version"] = version },
            ["paths"] = new JsonObject(paths.Select(p => KeyValuePair.Create(p.Key, (JsonNode?)p.Value))),
            ["components"] = new JsonObject { ["schemas"] = types.Collected },
        };
    }

    private static JsonObject Node(Operation operation, SchemaNodes types, ApiSchema schema)
    {
        var node = new JsonObject
        {
            ["tags"] = new JsonArray((operation.Resource.Group.Length == 0 ? "core" : operation.Resource.Group.Split('.')[0]) + "_" + operation.Resource.Version),
            ["description"] = $"{operation.Action} {operation.Resource.Kind}",
            ["operationId"] = operation.Id,
            ["parameters"] = new JsonArray([.. Parameter.Of(operation).Select(Node)]),
        };
        if (Body(operation, types, schema) is { } body)
            node["requestBody"] = body;

        JsonObject Answer() => operation.Answer is { } kind ? types.Type(kind.Type, [kind]) : new JsonObject { ["type"] = "string" };
        var ok = new JsonObject { ["description"] = "OK", ["content"] = Content(Answer, "application/json", "application/yaml", "application/vnd.kubernetes.protobuf") };
        var answers = new JsonObject { ["200"] = ok };
        if (operation.Action is "post" or "put" or "patch")
            answers["201"] = new JsonObject { ["description"] = "Created", ["content"] = Content(Answer, "application/json", "application/yaml", "application/vnd.kubernetes.protobuf") };
        answers["401"] = new JsonObject { ["description"] = "Unauthorized" };
        node["responses"] = answers;
        node["x-kubernetes-action"] = operation.Action;
        if (operation.Kind is { } of)
            node["x-kubernetes-group-version-kind"] = SchemaNodes.GroupVersionKind(of.Group, of.Version, of.Kind);
        return node;
    }

    private static JsonObject? Body(Operation operation, SchemaNodes types, ApiSchema schema)
    {
        switch (operation.Action)
        {
            case "post" or "put" when operation.Kind is { } kind:
                return new JsonObject { ["content"] = Content(() => types.Type(kind.Type, [kind]), "*/*"), ["required"] = true };
            case "patch":
                return new JsonObject { ["content"] = Content(types.Patch, PatchTypes), ["required"] = true };
            case "delete" or "deletecollection" when schema.FindKind(string.Empty, "v1", "DeleteOptions") is { } options:
                return new JsonObject { ["content"] = Content(() => types.Type(options.Type, [options]), "*/*") };
            default:
                return null;
        }
    }

    private static JsonObject Content(Func<JsonObject> schema, params string[] mediaTypes) =>
        new(mediaTypes.Select(m => KeyValuePair.Create(m, (JsonNode?)new JsonObject { ["schema"] = schema() })));

    private static JsonObject Node(Parameter parameter)
    {
        var node = new JsonObject { ["name"] = parameter.Name, ["in"] = parameter.In, ["description"] = parameter.Description };
        if (parameter.In == "path")
            node["required"] = true;
        node["schema"] = new JsonObject { ["type"] = parameter.Type, ["uniqueItems"] = true };
        return node;
    }
}
