using System.Text;
using System.Text.Json.Nodes;
using Mesh.Api.Schema;
using Mesh.Api.Tests.Codecs;
using Xunit;

namespace Mesh.Api.Tests.Schema;

/// <summary>The generated classes against the runtime schema: both come from the same files and must agree on every field.</summary>
public class TypedRoundTripTests
{
    private static readonly Type[] ObjectTypes =
        [.. typeof(IKubeObject).Assembly.GetTypes().Where(t => t.IsClass && t.IsAssignableTo(typeof(IKubeObject)))];

    [Fact]
    public void Every_class_keeps_every_field()
    {
        Assert.True(ObjectTypes.Length > 70, $"{ObjectTypes.Length} kinds");
        var check = typeof(TypedRoundTripTests).GetMethod(nameof(Check), System.Reflection.BindingFlags.NonPublic | System.Reflection.BindingFlags.Static)!;
        foreach (var type in ObjectTypes)
            check.MakeGenericMethod(type).Invoke(null, null);
    }

    private static void StripInnerTypeMeta(JsonObject target, TypeSchema type)
    {
        foreach (var field in type.Fields.Where(f => f.Kind == FieldKind.Object && target[f.Name] is not null))
        {
            IEnumerable<JsonNode?> children = target[field.Name] switch
            {
                JsonArray list => list,
                JsonObject map when field.Shape == FieldShape.Map => map.Select(e => e.Value),
                var single => [single],
            };
            foreach (var child in children.Cast<JsonObject>())
            {
                if (field.Type!.IsKind)
                {
                    child.Remove("kind");
                    child.Remove("apiVersion");
                }

                StripInnerTypeMeta(child, field.Type);
            }
        }
    }

    private static void Check<T>()
        where T : class, IKubeObject<T>
    {
        var resource = T.Resource;
        var kind = ApiSchema.Builtin.FindKind(resource.Group, resource.Version, resource.Kind)
            ?? ApiSchema.Builtin.FindKind("meta.k8s.io", "v1", resource.Kind);
        Assert.NotNull(kind);
        var filled = new ObjectFiller().Fill(kind);
        var text = filled.ToJsonString();

        var typed = KubeJson.Deserialize<T>(Encoding.UTF8.GetBytes(text));
        var written = JsonNode.Parse(KubeJson.Serialize(typed))!;
        filled["apiVersion"] = typed.ApiVersion;

        // A kind inside a kind (the options of an eviction) names itself too, claims of a stateful set as well.
        StripInnerTypeMeta(written.AsObject(), kind.Type);
        if (!JsonNode.DeepEquals(filled, written))
            Assert.Equal(filled.ToJsonString(), written.ToJsonString());

        var copy = typed.Clone();
        Assert.True(T.SemanticEquals(typed, copy));
        Assert.Equal(KubeJson.Serialize(typed), KubeJson.Serialize(copy));
        copy.Metadata.Name += "x";
        Assert.False(T.SemanticEquals(typed, copy));
    }
}
