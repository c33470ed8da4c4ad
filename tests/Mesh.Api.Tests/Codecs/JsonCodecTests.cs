using System.Text;
using System.Text.Json.Nodes;
using Mesh.Api.Codecs;
using Mesh.Api.Schema;
using Xunit;

namespace Mesh.Api.Tests.Codecs;

public class JsonCodecTests
{
    private static readonly TypeSchema Deployment = ApiSchema.Builtin.FindKind("apps/v1", "Deployment")!.Type;
    private static readonly TypeSchema Pod = ApiSchema.Builtin.FindKind("v1", "Pod")!.Type;

    [Fact]
    public void Unknown_and_doubled_fields_are_dropped_and_named_in_document_order()
    {
        var strict = new List<string>();
        var decoded = Decode(
            """
            {"foo":1,"spec":{"replicas":1,"replicas":2,"bar":{"baz":[1]},"template":{"spec":{"containers":[{"name":"a"},{"name":"b","x":null}]},
            "metadata":{"labels":{"a":"1","a":"2"}}}}}
            """,
            Deployment,
            strict);

        Assert.Equal(
            [
                "unknown field \"foo\"",
                "duplicate field \"spec.replicas\"",
                "unknown field \"spec.bar\"",
                "unknown field \"spec.template.spec.containers[1].x\"",
                "duplicate field \"spec.template.metadata.labels.a\"",
            ],
            strict);
        Assert.Equal("""{"spec":{"replicas":2,"template":{"spec":{"containers":[{"name":"a"},{"name":"b"}]},"metadata":{"labels":{"a":"2"}}}}}""", decoded.ToJsonString());
    }

    [Theory]
    [InlineData("""{"spec":{"replicas":"3"}}""", "json: cannot unmarshal string into Go struct field DeploymentSpec.spec.replicas of type int32")]
    [InlineData("""{"spec":{"replicas":1.5}}""", "json: cannot unmarshal number 1.5 into Go struct field DeploymentSpec.spec.replicas of type int32")]
    [InlineData("""{"spec":{"replicas":3000000000}}""", "json: cannot unmarshal number 3000000000 into Go struct field DeploymentSpec.spec.replicas of type int32")]
    [InlineData("""{"spec":[]}""", "json: cannot unmarshal array into Go struct field Deployment.spec of type v1.DeploymentSpec")]
    [InlineData("""{"spec":{"template":{"spec":{"containers":{}}}}}""", "json: cannot unmarshal object into Go struct field PodSpec.spec.template.spec.containers of type []v1.Container")]
    [InlineData("""{"spec":{"template":{"spec":{"containers":[{"image":5}]}}}}""", "json: cannot unmarshal number into Go struct field Container.spec.template.spec.containers.image of type string")]
    [InlineData("""{"metadata":{"labels":{"a":1}}}""", "json: cannot unmarshal number into Go struct field ObjectMeta.metadata.labels of type string")]
    [InlineData("""{"spec":{"paused":"yes"}}""", "json: cannot unmarshal string into Go struct field DeploymentSpec.spec.paused of type bool")]
    [InlineData("[]", "json: cannot unmarshal array into Go value of type v1.Deployment")]
    [InlineData("""{"metadata":{"creationTimestamp":"x"}}""", "parsing time \"x\" as \"2006-01-02T15:04:05Z07:00\": cannot parse \"x\" as \"2006\"")]
    [InlineData("{\"spec\":", "unexpected end of JSON input")]
    [InlineData("", "unexpected end of JSON input")]
    [InlineData("{x", "invalid character 'x' looking for beginning of object key string")]
    [InlineData("{\"a\" 1}", "invalid character '1' after object key")]
    [InlineData("{\"a\":1 2}", "invalid character '2' after object key:value pair")]
    [InlineData("{} x", "invalid character 'x' after top-level value")]
    [InlineData("hello", "invalid character 'h' looking for beginning of value")]
    public void Errors_have_the_words_of_Kubernetes(string json, string message) =>
        Assert.Equal(message, Assert.Throws<DecodeException>(() => Decode(json, Deployment)).Message);

    [Fact]
    public void Values_come_into_the_form_that_is_stored()
    {
        var decoded = Decode(
            """
            {"metadata":{"creationTimestamp":"2026-01-02T05:04:05.9+02:00","namespace":null,"labels":{"a":null}},
             "spec":{"containers":[{"name":"c","resources":{"limits":{"cpu":0.1,"memory":"1024Mi"}},"readinessProbe":{"tcpSocket":{"port":80}}},null]}}
            """,
            Pod);

        Assert.Equal(
            """
            {"metadata":{"creationTimestamp":"2026-01-02T03:04:05Z","labels":{"a":""}},"spec":{"containers":[{"name":"c","resources":{"limits":{"cpu":"100m","memory":"1Gi"}},"readinessProbe":{"tcpSocket":{"port":80}}},{}]}}
            """.Trim(),
            decoded.ToJsonString());
    }

    [Fact]
    public void Names_are_case_sensitive()
    {
        var strict = new List<string>();
        Assert.Empty(Decode("""{"Spec":{},"KIND":"x"}""", Pod, strict));
        Assert.Equal(["unknown field \"Spec\"", "unknown field \"KIND\""], strict);
    }

    [Fact]
    public void Depth_is_bounded()
    {
        var revision = ApiSchema.Builtin.FindKind("apps/v1", "ControllerRevision")!.Type;
        var deep = """{"data":""" + string.Concat(Enumerable.Repeat("""{"a":""", 1000)) + "1" + new string('}', 1001);
        Assert.Equal("json: exceeded max depth", Assert.Throws<DecodeException>(() => Decode(deep, revision)).Message);
    }

    [Fact]
    public void Strict_messages_are_bounded()
    {
        var strict = new List<string>();
        Decode("{" + string.Join(',', Enumerable.Range(0, 5000).Select(i => $"\"x{i}\":1")) + "}", Pod, strict);
        Assert.Equal(100, strict.Count);
    }

    [Theory]
    [InlineData("""{"kind":"Pod","apiVersion":"v1","spec":{"kind":"x"}}""", "v1", "Pod")]
    [InlineData("""{"spec":{}}""", "", "")]
    public void Type_meta_is_read_alone(string json, string apiVersion, string kind) =>
        Assert.Equal(new TypeMeta(apiVersion, kind), JsonCodec.ReadTypeMeta(Encoding.UTF8.GetBytes(json)));

    [Fact]
    public void A_broken_body_has_no_type_meta()
    {
        var e = Assert.Throws<DecodeException>(() => JsonCodec.ReadTypeMeta("{kind"u8));
        Assert.Equal("couldn't get version/kind; json parse error: invalid character 'k' looking for beginning of object key string", e.Message);
    }

    [Fact]
    public void Custom_resource_schemas_decode_too()
    {
        var port = new FieldSchema { Name = "port", Kind = FieldKind.IntOrString };
        var inner = new TypeSchema("", "inner", [port]) { PreserveUnknownFields = true };
        var matrix = new FieldSchema { Name = "", Kind = FieldKind.Int64, Shape = FieldShape.List };
        var type = new TypeSchema("", "Foo",
        [
            new FieldSchema { Name = "inner", Kind = FieldKind.Object, Type = inner },
            new FieldSchema { Name = "matrix", Kind = FieldKind.Nested, Shape = FieldShape.List, Element = matrix },
            new FieldSchema { Name = "maybe", Kind = FieldKind.String, Nullable = true },
            new FieldSchema { Name = "free", Kind = FieldKind.Object, Type = new TypeSchema("", "free", []) { AdditionalProperties = matrix } },
        ]);
        const string Json = """{"inner":{"port":"a","x":[1,{}]},"matrix":[[1],[2,3]],"maybe":null,"free":{"k":[7]}}""";
        var strict = new List<string>();

        Assert.Equal(Json, Decode(Json, type, strict).ToJsonString());
        Assert.Empty(strict);
    }

    private static JsonObject Decode(string json, TypeSchema type, ICollection<string>? strict = null) =>
        JsonCodec.Decode(Encoding.UTF8.GetBytes(json), type, strict);
}
