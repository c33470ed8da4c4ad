using System.Text;
using System.Text.Json.Nodes;
using Mesh.Api;
using Mesh.Gateway.OpenApi;

namespace Mesh.Gateway.Tests.OpenApi;

public class OpenApiTests
{
    private static readonly OpenApiDocuments Documents = new(ResourceTable.All, "v1.36.0");

    [Fact]
    public void The_index_names_hashed_urls()
    {
        var paths = JsonNode.Parse(Documents.Index.Body)!["paths"]!.AsObject();
        Assert.Equal($"/openapi/v3/apis/apps/v1?hash={Documents.V3("apis/apps/v1")!.Hash}", paths["apis/apps/v1"]!["serverRelativeURL"]!.ToString());
        Assert.True(paths.ContainsKey("api/v1"));
        Assert.Null(Documents.V3("apis/nothing/v1"));
    }

    [Fact]
    public void Documents_hold_what_explain_and_validation_look_for()
    {
        var document = JsonNode.Parse(Documents.V3("apis/apps/v1")!.Body)!;
        var patch = document["paths"]!["/apis/apps/v1/namespaces/{namespace}/deployments/{name}"]!["patch"]!;
        Assert.Equal("patch", patch["x-kubernetes-action"]!.ToString());
        Assert.Equal("""{"group":"apps","kind":"Deployment","version":"v1"}""", patch["x-kubernetes-group-version-kind"]!.ToJsonString());
        Assert.Contains(patch["parameters"]!.AsArray(), p => p!["name"]!.ToString() == "fieldValidation" && p["in"]!.ToString() == "query");

        var schemas = document["components"]!["schemas"]!.AsObject();
        Assert.Equal("""[{"group":"apps","kind":"Deployment","version":"v1"}]""", schemas["io.k8s.api.apps.v1.Deployment"]!["x-kubernetes-group-version-kind"]!.ToJsonString());
        var containers = schemas["io.k8s.api.core.v1.PodSpec"]!["properties"]!["containers"]!;
        Assert.Equal(("map", "name", "merge"), (containers["x-kubernetes-list-type"]!.ToString(), containers["x-kubernetes-patch-merge-key"]!.ToString(), containers["x-kubernetes-patch-strategy"]!.ToString()));
    }

    [Fact]
    public void Fields_of_few_values_name_them_and_each_is_a_field()
    {
        foreach (var (type, field) in FieldEnums.All)
        {
            var dot = type.LastIndexOf('.');
            Assert.True(Mesh.Api.Schema.ApiSchema.Builtin.FindType(type[..dot], type[(dot + 1)..])?.Fields.Any(f => f.Name == field) == true, $"{type}.{field}");
        }

        var schemas = JsonNode.Parse(Documents.V3("api/v1")!.Body)!["components"]!["schemas"]!;
        Assert.Equal("""["Always","IfNotPresent","Never"]""", schemas["io.k8s.api.core.v1.Container"]!["properties"]!["imagePullPolicy"]!["enum"]!.ToJsonString());
    }

    [Fact]
    public void Every_reference_of_every_document_is_there()
    {
        foreach (var path in JsonNode.Parse(Documents.Index.Body)!["paths"]!.AsObject().Select(p => p.Key))
        {
            var document = JsonNode.Parse(Documents.V3(path)!.Body)!;
            var schemas = document["components"]!["schemas"]!.AsObject();
            foreach (var name in References(document).Distinct())
                Assert.True(schemas.ContainsKey(name["#/components/schemas/".Length..]), $"{path}: {name}");
        }
    }

    [Fact]
    public void The_second_version_has_a_protobuf_form()
    {
        var json = JsonNode.Parse(Documents.V2Json.Body)!;
        var definitions = json["definitions"]!.AsObject();
        foreach (var name in References(json).Distinct())
            Assert.True(definitions.ContainsKey(name["#/definitions/".Length..]), name);

        // Field 1 is the version; the rest is as long as its tags say.
        var bytes = Documents.V2Protobuf.Body;
        Assert.Equal("\n\u00032.0", Encoding.Latin1.GetString(bytes, 0, 5));
        Assert.Equal([1, 2, 8, 9], Fields(bytes));
    }

    private static IEnumerable<string> References(JsonNode? node) => node switch
    {
        JsonObject map => map.SelectMany(p => p.Key == "$ref" && p.Value is JsonValue ? [p.Value.ToString()] : References(p.Value)),
        JsonArray list => list.SelectMany(References),
        _ => [],
    };

    private static List<int> Fields(byte[] bytes)
    {
        var fields = new List<int>();
        for (var pos = 0; pos < bytes.Length;)
        {
            fields.Add((int)(Varint(bytes, ref pos) >> 3));
            var length = (int)Varint(bytes, ref pos);
            pos += length;
        }

        return fields;
    }

    private static ulong Varint(byte[] bytes, ref int pos)
    {
        pos += Mesh.Api.Codecs.Varint.Read(bytes.AsSpan(pos), out var value);
        return value;
    }
}
