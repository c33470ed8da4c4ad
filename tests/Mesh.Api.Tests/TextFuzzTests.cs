using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Mesh.Api.Codecs;
using Mesh.Api.Patches;
using Mesh.Api.Schema;
using Mesh.Api.Selectors;
using Mesh.Api.Tests.Codecs;
using Xunit;

namespace Mesh.Api.Tests;

/// <summary>The small decoders: what users type into selectors, quantities and patches.</summary>
public class TextFuzzTests
{
    private static readonly KindSchema Pod = ApiSchema.Builtin.FindKind("v1", "Pod")!;

    [Fact]
    public void Label_selectors() => Run(11, "app.kubernetes.io/name in (a, b,c),tier notin (x),!gone,has,env=prod,os!=win,n>5", text =>
    {
        // What is taken is printed, and the print is taken again and means the same.
        var selector = Selector.Parse(text);
        Assert.Equal(selector.ToString(), Selector.Parse(selector.ToString()).ToString());
    });

    [Fact]
    public void Field_selectors() => Run(12, "metadata.name=a\\,b,spec.nodeName!=n-1,status.phase==Running", text => FieldSelector.Parse(text));

    [Theory]
    [InlineData(13, "12345.678e3")]
    [InlineData(14, "1.5Gi")]
    [InlineData(15, "-100m")]
    [InlineData(16, "9223372036854775807Ei")]
    public void Quantities(int seed, string sample) => Run(seed, sample, text =>
    {
        if (!Quantity.TryParse(text, out var value, out var error))
        {
            Assert.NotNull(error);
            return;
        }

        // The canonical form is a fixed point and the same amount.
        var printed = value.ToString();
        Assert.True(Quantity.TryParse(printed, out var again), printed);
        Assert.Equal(printed, again.ToString());
        Assert.True(value == again, $"{text} became {printed}");
    });

    [Fact]
    public void Json_patches() => Fuzz.Run(
        17,
        """[{"op":"add","path":"/metadata/labels/a~1b","value":"c"},{"op":"replace","path":"/spec/containers/0/image","value":{"x":[1]}},{"op":"remove","path":"/spec/containers/-"},{"op":"test","path":"/metadata/name","value":"n"},{"op":"move","from":"/spec","path":"/s"},{"op":"copy","from":"/s/containers/0","path":"/spec"}]"""u8.ToArray(),
        body => JsonPatch.Apply(Small(), body)?.ToJsonString(),
        static e => e is ApiException);

    [Fact]
    public void Merge_patches() => Fuzz.Run(
        18,
        """{"metadata":{"labels":{"a":null,"b":"c"},"name":"x"},"spec":{"containers":[{"name":"c","image":"i"}],"nodeSelector":{"k":"v"}},"status":null}"""u8.ToArray(),
        body => MergePatch.Apply(Small(), body).ToJsonString(),
        static e => e is ApiException);

    [Fact]
    public void Strategic_merge_patches() => Fuzz.Run(
        19,
        """{"metadata":{"labels":{"a":null},"$patch":"merge"},"spec":{"$setElementOrder/containers":[{"name":"b"},{"name":"c"}],"containers":[{"$patch":"delete","name":"c"},{"name":"b","image":"i","ports":[{"containerPort":80,"$patch":"replace"}]}],"$retainKeys":["containers"],"$deleteFromPrimitiveList/finalizers":["x"],"tolerations":[{"key":"k"}]}}"""u8.ToArray(),
        body => StrategicMergePatch.Apply(Small(), body, PatchSchema.Of(Pod.Type)).ToJsonString(),
        static e => e is ApiException);

    [Fact]
    public void A_merge_patch_made_from_two_objects_makes_one_of_the_other()
    {
        var random = new Random(20);
        var sample = Encoding.UTF8.GetBytes(new ObjectFiller().Fill(Pod).ToJsonString());
        for (var i = 0; i < Fuzz.Rounds / 20; i++)
        {
            JsonObject wanted;
            try
            {
                wanted = JsonCodec.Decode(Fuzz.Damage(random, sample), Pod.Type, null);
            }
            catch (DecodeException)
            {
                continue;
            }

            var from = Small();
            var patch = Difference(from, wanted);
            Assert.Equal(wanted.ToJsonString(Sorted), Ordered(MergePatch.Apply(from, Encoding.UTF8.GetBytes(patch.ToJsonString())), wanted).ToJsonString(Sorted));
        }
    }

    private static readonly JsonSerializerOptions Sorted = new();

    private static JsonObject Small() => JsonNode.Parse(
        """{"apiVersion":"v1","kind":"Pod","metadata":{"name":"n","labels":{"a":"1"},"finalizers":["x","y"]},"spec":{"containers":[{"name":"c","image":"old","ports":[{"containerPort":80}]},{"name":"b"}],"tolerations":[{"key":"k"}]}}""")!.AsObject();

    private static void Run(int seed, string sample, Action<string> take) => Fuzz.Run(seed, Encoding.UTF8.GetBytes(sample), body => take(Encoding.UTF8.GetString(body)), static e => e is FormatException);

    /// <summary>RFC 7386 backwards; written here from the RFC, not from the code under test.</summary>
    private static JsonObject Difference(JsonObject from, JsonObject to)
    {
        var patch = new JsonObject();
        foreach (var (name, _) in from)
        {
            if (!to.ContainsKey(name)) patch[name] = null;
        }

        foreach (var (name, value) in to)
        {
            if (value is JsonObject inner && from[name] is JsonObject old) patch[name] = Difference(old, inner);
            else if (!JsonNode.DeepEquals(value, from[name])) patch[name] = value?.DeepClone();
        }

        return patch;
    }

    /// <summary>The same object with the members in the order of another.</summary>
    private static JsonObject Ordered(JsonObject obj, JsonObject like)
    {
        var result = new JsonObject();
        foreach (var (name, model) in like)
        {
            Assert.True(obj.ContainsKey(name), name);
            var value = obj[name];
            obj.Remove(name);
            result[name] = value is JsonObject inner && model is JsonObject other ? Ordered(inner, other) : value;
        }

        Assert.Empty(obj);
        return result;
    }
}
