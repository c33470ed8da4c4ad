using System.Text;
using System.Text.Json.Nodes;
using Mesh.Api.Patches;
using Mesh.Api.Schema;

namespace Mesh.Api.Tests.Patches;

public class SchemaPatchTests
{
    [Fact]
    public void Deployments_merge_containers_by_name_and_ports_by_number()
    {
        var type = ApiSchema.Builtin.FindKind("apps/v1", "Deployment")!.Type;
        var document = JsonNode.Parse("""
            {"spec":{"strategy":{"type":"RollingUpdate","rollingUpdate":{"maxSurge":1}},
             "template":{"spec":{"containers":[{"name":"a","image":"x:1","ports":[{"containerPort":80,"protocol":"TCP"}],"env":[{"name":"K","value":"1"}]},{"name":"b","image":"y"}]}}}}
            """)!.AsObject();
        var patch = """
            {"spec":{"strategy":{"$retainKeys":["type"],"type":"Recreate"},
             "template":{"spec":{"$setElementOrder/containers":[{"name":"a"},{"name":"b"}],
               "containers":[{"name":"a","image":"x:2","ports":[{"containerPort":80,"hostPort":8080}],"env":[{"name":"K","value":null},{"name":"L","value":"2"}]}]}}}}
            """;
        Assert.Equal("""
            {"spec":{"strategy":{"type":"Recreate"},"template":{"spec":{"containers":[{"name":"a","image":"x:2","ports":[{"containerPort":80,"protocol":"TCP","hostPort":8080}],"env":[{"name":"K"},{"name":"L","value":"2"}]},{"name":"b","image":"y"}]}}}}
            """, Sorted(StrategicMergePatch.Apply(document, Encoding.UTF8.GetBytes(patch), PatchSchema.Of(type))));
    }

    private static string Sorted(JsonObject obj) => obj.ToJsonString();
}
