using System.Buffers.Binary;
using System.Text.Json.Nodes;
using Mesh.Api.Codecs;
using Mesh.Api.Schema;
using Xunit;

namespace Mesh.Api.Tests.Codecs;

public class ProtobufCodecTests
{
    private static readonly KindSchema Pod = ApiSchema.Builtin.FindKind("v1", "Pod")!;
    private static readonly KindSchema ConfigMap = ApiSchema.Builtin.FindKind("v1", "ConfigMap")!;

    [Fact]
    public void The_bytes_of_a_small_object_are_those_of_the_wire()
    {
        var source = new JsonObject
        {
            ["metadata"] = new JsonObject { ["name"] = "a" },
            ["data"] = new JsonObject { ["z"] = "1", ["k"] = "2" },
        };

        byte[] expected =
        [
            .. "k8s\0"u8, 0x0A, 15, 0x0A, 2, .. "v1"u8, 0x12, 9, .. "ConfigMap"u8,
            0x12, 21, 0x0A, 3, 0x0A, 1, .. "a"u8, 0x12, 6, 0x0A, 1, .. "k"u8, 0x12, 1, .. "2"u8, 0x12, 6, 0x0A, 1, .. "z"u8, 0x12, 1, .. "1"u8,
            0x1A, 0, 0x22, 0,
        ];
        Assert.Equal(expected, ProtobufCodec.Encode(source, ConfigMap));
        Assert.Equal(new TypeMeta("v1", "ConfigMap"), ProtobufCodec.ReadTypeMeta(expected));
    }

    [Fact]
    public void Zeros_that_Go_always_writes_mean_absent_and_pointers_keep_theirs()
    {
        // spec (2): restartPolicy 3 "", terminationGracePeriodSeconds 4 = 0, hostNetwork 11 = false; metadata (1): creationTimestamp 8 empty.
        byte[] message = [0x0A, 2, 0x42, 0, 0x12, 6, 0x1A, 0, 0x20, 0, 0x58, 0];

        Assert.Equal(
            """{"kind":"Pod","apiVersion":"v1","metadata":{},"spec":{"terminationGracePeriodSeconds":0}}""",
            ProtobufCodec.DecodeMessage(message, Pod).ToJsonString());
    }

    [Fact]
    public void Unknown_fields_are_passed_over_and_doubled_messages_merge()
    {
        // metadata twice (name, then namespace), unknown varint 100, unknown fixed32 101, unknown fixed64 102.
        byte[] message = [0x0A, 3, 0x0A, 1, .. "a"u8, 0x0A, 3, 0x1A, 1, .. "b"u8, 0xA0, 6, 1, 0xAD, 6, 1, 2, 3, 4, 0xB1, 6, 1, 2, 3, 4, 5, 6, 7, 8];

        Assert.Equal(
            """{"kind":"Pod","apiVersion":"v1","metadata":{"name":"a","namespace":"b"}}""",
            ProtobufCodec.DecodeMessage(message, Pod).ToJsonString());
    }

    [Fact]
    public void A_watch_frame_holds_an_enveloped_object()
    {
        var source = new JsonObject { ["metadata"] = new JsonObject { ["name"] = "a" } };
        var frame = ProtobufCodec.EncodeWatchFrame("ADDED", source, Pod);

        Assert.Equal(frame.Length - 4, BinaryPrimitives.ReadInt32BigEndian(frame));
        var (type, decoded) = ProtobufCodec.DecodeWatchEvent(frame.AsSpan(4));
        Assert.Equal("ADDED", type);
        Assert.Equal("""{"kind":"Pod","apiVersion":"v1","metadata":{"name":"a"}}""", decoded!.ToJsonString());
        Assert.Equal(frame, ProtobufCodec.EncodeWatchFrame("ADDED", ProtobufCodec.Encode(source, Pod)));
    }

    [Fact]
    public void Lists_options_and_status_have_their_kinds()
    {
        Assert.True(ApiSchema.Builtin.FindKind("v1", "PodList")!.IsList);
        Assert.Equal("Status", ApiSchema.Builtin.FindKind("v1", "Status")!.Kind);
        Assert.Equal("meta.v1", ApiSchema.Builtin.FindKind("apps/v1", "DeleteOptions")!.Type.Package);
        Assert.Null(ApiSchema.Builtin.FindKind("apps/v1", "Pod"));
        Assert.Null(ApiSchema.Builtin.FindKind("nope/v1", "DeleteOptions"));
        Assert.Equal("Scale", ApiSchema.Builtin.FindResource("apps", "v1", "deployments", "scale")!.Kind);
        Assert.Equal("Eviction", ApiSchema.Builtin.FindResource("", "v1", "pods", "eviction")!.Kind);
        Assert.Equal("TokenRequest", ApiSchema.Builtin.FindResource("", "v1", "serviceaccounts", "token")!.Kind);
        Assert.Null(ApiSchema.Builtin.FindResource("", "v1", "pods", "nothing"));
    }

    [Fact]
    public void A_raw_extension_may_hold_an_enveloped_object()
    {
        var inner = ProtobufCodec.Encode(new JsonObject { ["data"] = new JsonObject { ["a"] = "b" } }, ConfigMap);
        byte[] message = [0x12, (byte)(inner.Length + 2), 0x0A, (byte)inner.Length, .. inner];

        var revision = ProtobufCodec.DecodeMessage(message, ApiSchema.Builtin.FindKind("apps/v1", "ControllerRevision")!);

        Assert.Equal("""{"kind":"ConfigMap","apiVersion":"v1","data":{"a":"b"}}""", revision["data"]!.ToJsonString());
    }

    [Theory]
    [InlineData(new byte[] { 1, 2, 3 }, "provided data does not appear to be a protobuf message, expected prefix [107 56 115 0]")]
    [InlineData(new byte[] { 0x6B, 0x38, 0x73, 0, 0x0A, 9 }, "unexpected EOF")]
    [InlineData(new byte[] { 0x6B, 0x38, 0x73, 0 }, "no kind \"\" is registered for version \"\"")]
    public void Broken_envelopes_are_decode_errors(byte[] body, string message) =>
        Assert.Equal(message, Assert.Throws<DecodeException>(() => ProtobufCodec.Decode(body)).Message);

    [Theory]
    [InlineData("""{"spec":{"containers":"x"}}""")]
    [InlineData("""{"spec":{"containers":[null]}}""")]
    [InlineData("""{"spec":{"hostNetwork":1}}""")]
    [InlineData("""{"spec":{"priority":4294967296}}""")]
    [InlineData("""{"metadata":{"creationTimestamp":"yesterday"}}""")]
    public void Values_that_do_not_fit_are_decode_errors(string json) =>
        Assert.Throws<DecodeException>(() => ProtobufCodec.Encode(JsonNode.Parse(json)!.AsObject(), Pod));

    [Fact]
    public void Times_before_1970_and_with_micros_are_exact()
    {
        var lease = ApiSchema.Builtin.FindKind("coordination.k8s.io/v1", "Lease")!;
        var source = new JsonObject
        {
            ["kind"] = "Lease",
            ["apiVersion"] = "coordination.k8s.io/v1",
            ["metadata"] = new JsonObject { ["creationTimestamp"] = "1960-02-29T23:59:59Z" },
            ["spec"] = new JsonObject { ["acquireTime"] = "1969-12-31T23:59:59.000001Z", ["renewTime"] = "2026-01-02T03:04:05.999999Z" },
        };

        Assert.True(JsonNode.DeepEquals(source, ProtobufCodec.Decode(ProtobufCodec.Encode(source, lease))));
    }
}
