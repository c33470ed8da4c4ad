using System.Text.Json.Nodes;
using Mesh.Api.Apply;
using Mesh.Api.Schema;
using Xunit;

namespace Mesh.Api.Tests.Apply;

/// <summary>Merging and pruning by the list and map types of real kinds.</summary>
public class MergeTests
{
    private static readonly KindSchema Pod = ApiSchema.Builtin.FindKind("v1", "Pod")!;

    [Theory]
    [InlineData("abc", "b", "abc")]
    [InlineData("abc", "ca", "bca")]
    [InlineData("xab", "ba", "xba")]
    [InlineData("axb", "ba", "xba")]
    [InlineData("xa", "na", "xna")]
    [InlineData("ay", "bac", "bayc")]
    [InlineData("", "ab", "ab")]
    public void Items_keep_the_appliers_order(string live, string config, string merged) =>
        Assert.Equal(merged, Names(Merge(Of(live), Of(config))));

    [Fact]
    public void Atomic_lists_and_maps_are_replaced()
    {
        var live = JsonNode.Parse("""{"spec":{"tolerations":[{"key":"a"}],"nodeSelector":{"a":"1"},"containers":[{"name":"x","args":["1","2"]}]}}""")!.AsObject();
        var config = JsonNode.Parse("""{"spec":{"tolerations":[{"key":"b"}],"nodeSelector":{"b":"1"},"containers":[{"name":"x","args":["3"]}]}}""")!.AsObject();
        Assert.Equal(config.ToJsonString(), Merge(live, config).ToJsonString());
    }

    [Fact]
    public void Keys_take_their_defaults()
    {
        var live = JsonNode.Parse("""{"spec":{"containers":[{"name":"x","ports":[{"containerPort":80,"protocol":"TCP","name":"http"},{"containerPort":80,"protocol":"UDP"}]}]}}""")!.AsObject();
        var config = JsonNode.Parse("""{"spec":{"containers":[{"name":"x","ports":[{"containerPort":80,"hostPort":8080}]}]}}""")!.AsObject();
        var ports = Merge(live, config)["spec"]!["containers"]![0]!["ports"]!;
        Assert.Equal("""[{"containerPort":80,"protocol":"TCP","name":"http","hostPort":8080},{"containerPort":80,"protocol":"UDP"}]""", ports.ToJsonString());
    }

    [Fact]
    public void An_item_stays_while_somebody_else_owns_it_and_goes_when_only_parts_of_it_are_owned()
    {
        var live = JsonNode.Parse("""{"spec":{"containers":[{"name":"x","image":"1"},{"name":"y","image":"1"},{"name":"z","image":"1"}]}}""")!.AsObject();
        var all = TreeFields.Applied(ApplyPlan.Of(Pod.Type), live);
        var kept = FieldSet.Of("f:spec", "f:containers", """k:{"name":"x"}""").Union(FieldSet.Of("f:spec", "f:containers", """k:{"name":"x"}""", "f:name"))
            .Union(FieldSet.Of("f:spec", "f:containers", """k:{"name":"y"}""", "f:image"));
        TreePrune.Apply(ApplyPlan.Of(Pod.Type), live, all, kept);
        Assert.Equal("""[{"name":"x"}]""", live["spec"]!["containers"]!.ToJsonString());
    }

    [Fact]
    public void Fields_that_nobody_owns_stay()
    {
        var live = JsonNode.Parse("""{"metadata":{"labels":{"a":"1","b":"1"}},"spec":{"hostNetwork":true}}""")!.AsObject();
        TreePrune.Apply(ApplyPlan.Of(Pod.Type), live, FieldSet.Of("f:metadata", "f:labels", "f:a"), FieldSet.Of("f:metadata", "f:labels", "f:c"));
        Assert.Equal("""{"metadata":{"labels":{"b":"1"}},"spec":{"hostNetwork":true}}""", live.ToJsonString());
    }

    [Fact]
    public void A_creator_does_not_own_what_an_empty_object_has()
    {
        var obj = JsonNode.Parse("""{"kind":"Pod","apiVersion":"v1","metadata":{"name":"n","generation":1},"spec":{"containers":[{"name":"x","resources":{}}],"volumes":[{"name":"v","emptyDir":{}}]},"status":{}}""")!.AsObject();
        Assert.Equal(
            """{"f:spec":{"f:containers":{"k:{\"name\":\"x\"}":{".":{},"f:name":{},"f:resources":{}}},"f:volumes":{".":{},"k:{\"name\":\"v\"}":{".":{},"f:emptyDir":{},"f:name":{}}}}}""",
            System.Text.Encoding.UTF8.GetString(FieldsV1.Encode(TreeFields.Created(ApplyPlan.Of(Pod.Type), obj))));
    }

    [Fact]
    public void Custom_resources_follow_their_own_schema()
    {
        var item = new TypeSchema("", "Item", [new FieldSchema { Name = "id", Kind = FieldKind.String }, new FieldSchema { Name = "n", Kind = FieldKind.Int64 }]);
        var spec = new TypeSchema("", "Spec", [new FieldSchema { Name = "items", Kind = FieldKind.Object, Shape = FieldShape.List, ListType = ListType.Map, ListMapKeys = ["id"], Type = item }])
        {
            AdditionalProperties = new FieldSchema { Name = "", Kind = FieldKind.Nested, Element = new FieldSchema { Name = "", Kind = FieldKind.String, Shape = FieldShape.List, ListType = ListType.Set } },
        };
        var free = new TypeSchema("", "Free", []) { PreserveUnknownFields = true };
        var type = new TypeSchema("", "Thing", [new FieldSchema { Name = "spec", Kind = FieldKind.Object, Type = spec }, new FieldSchema { Name = "free", Kind = FieldKind.Object, Type = free }]) { IsKind = true };
        var config = JsonNode.Parse("""{"spec":{"items":[{"id":"a","n":1}],"more":["x"]},"free":{"deep":{"a":1,"list":[1,2]}}}""")!.AsObject();
        Assert.Null(ConfigCheck.Check(type, config));
        Assert.Equal(
            """{"f:free":{"f:deep":{".":{},"f:a":{},"f:list":{}}},"f:spec":{"f:items":{"k:{\"id\":\"a\"}":{".":{},"f:id":{},"f:n":{}}},"f:more":{".":{},"v:\"x\"":{}}}}""",
            System.Text.Encoding.UTF8.GetString(FieldsV1.Encode(TreeFields.Applied(ApplyPlan.Of(type), config))));
        Assert.Equal(".spec.items[id=\"a\"].wrong: field not declared in schema", ConfigCheck.Check(type, JsonNode.Parse("""{"spec":{"items":[{"id":"a","wrong":1}]}}""")!.AsObject()));
    }

    private static JsonObject Merge(JsonObject live, JsonObject config)
    {
        TreeMerge.Into(ApplyPlan.Of(Pod.Type), live, config);
        return live;
    }

    private static JsonObject Of(string names) => new()
    {
        ["spec"] = new JsonObject { ["containers"] = new JsonArray([.. names.Select(static n => new JsonObject { ["name"] = n.ToString() })]) },
    };

    private static string Names(JsonObject pod) => string.Concat(pod["spec"]!["containers"]!.AsArray().Select(static c => c!["name"]!.ToString()));
}
