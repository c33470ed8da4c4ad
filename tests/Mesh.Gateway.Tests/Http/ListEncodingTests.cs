using System.Collections;
using System.IO.Compression;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Mesh.Api;
using Mesh.Api.Codecs;
using Mesh.Api.Schema;
using Mesh.Api.Tests.Codecs;
using Mesh.Gateway.Http;
using Mesh.Gateway.Http.Forms;
using Mesh.Gateway.Http.Lists;
using Mesh.Gateway.Http.Yaml;
using Mesh.Gateway.Registry;
using Mesh.Gateway.Storage;
using Mesh.Gateway.Tables;
using Microsoft.AspNetCore.Http;

namespace Mesh.Gateway.Tests.Http;

/// <summary>Lists that are sent a part at a time are the lists that would have been made whole, and nobody but their reader pays for their length.</summary>
public sealed class ListEncodingTests
{
    private const string Table = "application/json;as=Table;g=meta.k8s.io;v=v1";
    private const string Partial = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1";
    private const string Protobuf = "application/vnd.kubernetes.protobuf";
    private const string PartialProtobuf = Protobuf + ";as=PartialObjectMetadataList;g=meta.k8s.io;v=v1";
    private const int LargestItem = 256 * 1024;
    private static readonly ApiResource Pods = ResourceTable.Find("", "v1", "pods")!;
    private static readonly KindSchema Pod = ApiSchema.Builtin.FindKind("v1", "Pod")!;
    private static readonly JsonObject Filled = new ObjectFiller().Fill(Pod);
    private static readonly TableConvertor Tables = new(new StandingTime());

    public static TheoryData<string, bool> Forms()
    {
        var data = new TheoryData<string, bool>();
        foreach (var accept in (string[])["application/json", Table, Partial, "application/yaml", Table.Replace("json", "yaml", StringComparison.Ordinal), Partial.Replace("json", "yaml", StringComparison.Ordinal), Protobuf, PartialProtobuf])
        {
            data.Add(accept, false);
            if (accept.StartsWith("application/json", StringComparison.Ordinal)) data.Add(accept, true);
        }

        return data;
    }

    [Theory]
    [MemberData(nameof(Forms))]
    public async Task What_is_streamed_is_what_would_be_made_whole(string accept, bool pretty)
    {
        foreach (var count in (int[])[0, 1, 7, 400])
        {
            foreach (var page in (ListPage[])[new(Entries(count), 77, null, null), new(Entries(count), 78, "token", 12), new(Entries(count), 79, "more", null)])
            {
                var whole = Whole(page, accept, pretty);
                Assert.Equal(whole, await SendAsync(page, accept, pretty, gzip: false));
                Assert.Equal(whole, await SendAsync(page, accept, pretty, gzip: true));
            }
        }
    }

    [Theory]
    [InlineData("Object")]
    [InlineData("None")]
    public async Task Rows_have_as_much_of_their_object_as_was_asked_for(string include)
    {
        var page = new ListPage(Entries(5), 77, null, null);
        var sent = await SendAsync(page, Table, pretty: false, gzip: false, include: include);
        Assert.Equal(Text(Whole(page, Table, false, include)), Text(sent));
        Assert.Equal(include == "Object", JsonNode.Parse(sent)!["rows"]![0]!["object"]?["spec"] is not null);
    }

    [Theory]
    [InlineData(Protobuf)]
    [InlineData(PartialProtobuf)]
    public async Task Protobuf_lists_are_decoded_to_the_same_objects_as_the_json_ones(string accept)
    {
        var page = new ListPage(Entries(300), 77, "token", 12);
        var list = ProtobufCodec.Decode(await SendAsync(page, accept, pretty: false, gzip: false));
        var json = JsonNode.Parse(await SendAsync(page, accept == Protobuf ? "application/json" : Partial, pretty: false, gzip: false))!;
        Assert.Equal(300, list["items"]!.AsArray().Count);
        Assert.True(JsonNode.DeepEquals(json["metadata"], list["metadata"]));
        for (var i = 0; i < 300; i++) Assert.Equal((string)json["items"]![i]!["metadata"]!["name"]!, (string?)list["items"]![i]!["metadata"]!["name"]);
        // A list may be sent again: what was remembered of it the first time holds.
        Assert.Equal(list.ToJsonString(), ProtobufCodec.Decode(await SendAsync(page, accept, pretty: false, gzip: false)).ToJsonString());
    }

    /// <summary>The whole answer's length is told beforehand where it is known, and no answer is packed that is short.</summary>
    [Fact]
    public async Task Lengths_are_told()
    {
        foreach (var (accept, count, told) in ((string, int, bool)[])[("application/json", 3, true), (Protobuf, 400, true), ("application/json", 400, false)])
        {
            var context = Context(gzip: false, out var body);
            await ListResponse.WriteAsync(context, Encoder(accept, false), new ListPage(Entries(count), 5, null, null), default);
            Assert.Equal(told ? body.Length : null, context.Response.ContentLength);
            context = Context(gzip: true, out body);
            await ListResponse.WriteAsync(context, Encoder(accept, false), new ListPage(Entries(count), 5, null, null), default);
            Assert.Equal(count > 3 ? "gzip" : "", context.Response.Headers.ContentEncoding.ToString());
        }
    }

    /// <summary>While a reader does not read, no more than a chunk is made; and a list leaves nothing behind in the cache.</summary>
    [Theory]
    [MemberData(nameof(Forms))]
    public async Task A_slow_reader_holds_up_no_more_than_a_chunk(string accept, bool pretty)
    {
        var entries = Packed(1500);
        var seen = new Watched(entries);
        var body = new SlowStream();
        var context = Context(gzip: false, out _);
        context.Response.Body = body;
        var sending = ListResponse.WriteAsync(context, Encoder(accept, pretty), new ListPage(seen, 5, null, null), default).AsTask();
        await body.Asked.Task.WaitAsync(TimeSpan.FromSeconds(60));
        Assert.False(sending.IsCompleted);
        Assert.InRange(body.Largest, 1, ResponseWriter.CompressFrom + LargestItem);
        // Protobuf has to look at all of them for the length first; that is all it may do.
        if (!accept.StartsWith(Protobuf, StringComparison.Ordinal)) Assert.InRange(seen.Furthest, 1, 700);
        body.Go.SetResult();
        await sending;
        Assert.Equal(entries.Count - 1, seen.Furthest);
        Assert.True(body.Writes > 3, $"{body.Writes} writes");
        Assert.InRange(body.Largest, 1, ResponseWriter.CompressFrom + LargestItem);
        Assert.True(entries.All(static e => e.IsPacked));
    }

    [Fact]
    public void Of_a_long_protobuf_list_little_is_kept_between_the_two_looks()
    {
        var page = new ListPage(Packed(3000), 5, null, null);
        var first = new ProtobufListWriter(Encoder(Protobuf, false).Messages, page);
        first.Prepare(default);
        Assert.InRange(first.Kept, 1, ProtobufListWriter.MaxKept);
        Assert.True(first.Length > ProtobufListWriter.MaxKept, $"{first.Length} bytes are no long list");
        var buffer = new PooledBuffer();
        for (var i = 0; i < first.Count; i++)
        {
            first.WriteItem(buffer, i);
            buffer.Clear();
        }

        Assert.Equal(0, first.Kept);
        var second = new ProtobufListWriter(Encoder(Protobuf, false).Messages, page);
        second.Prepare(default);
        Assert.Equal((first.Length, 0), (second.Length, second.Kept));
    }

    [Theory]
    [MemberData(nameof(Forms))]
    public async Task A_client_that_goes_away_ends_the_work(string accept, bool pretty)
    {
        var seen = new Watched(Packed(1500));
        using var gone = new CancellationTokenSource();
        var context = Context(gzip: false, out _);
        context.Response.Body = new SlowStream { OnWrite = gone.Cancel };
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => ListResponse.WriteAsync(context, Encoder(accept, pretty), new ListPage(seen, 5, null, null), gone.Token).AsTask());
        if (!accept.StartsWith(Protobuf, StringComparison.Ordinal)) Assert.InRange(seen.Furthest, 1, 700);
    }

    /// <summary>Neither the list's end nor gzip's is written behind half a list: who reads it must notice.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_list_that_fails_in_the_middle_has_no_end(bool gzip)
    {
        foreach (var accept in (string[])["application/json", Table, "application/yaml", Protobuf])
        {
            var entries = Packed(1500);
            var whole = Whole(new ListPage(entries, 5, null, null), accept, false);
            var context = Context(gzip, out var body);
            var started = new ListPage(new Watched(entries) { FailsAt = 1400 }, 5, null, null);
            await Assert.ThrowsAsync<InvalidOperationException>(() => ListResponse.WriteAsync(context, Encoder(accept, false), started, default).AsTask());
            // Protobuf has looked at all of them before it begins.
            if (accept == Protobuf) Assert.Equal(0, body.Length);
            if (!gzip) Assert.InRange(body.Length, 0, whole.Length - 1);
            else Assert.False(body.ToArray().AsSpan().EndsWith((ReadOnlySpan<byte>)BitConverter.GetBytes(whole.Length)));
        }
    }

    /// <summary>Before the first chunk is sent nothing is: a Status can be answered instead.</summary>
    [Fact]
    public async Task A_list_that_fails_at_its_beginning_has_sent_nothing()
    {
        var context = Context(gzip: true, out var body);
        await Assert.ThrowsAsync<InvalidOperationException>(
            () => ListResponse.WriteAsync(context, Encoder("application/json", false), new ListPage(new Watched(Entries(9)) { FailsAt = 8 }, 5, null, null), default).AsTask());
        Assert.Equal((0, 0, null), (body.Length, context.Response.Headers.ContentEncoding.Count, context.Response.ContentLength));
    }

    private static byte[] Whole(ListPage page, string accept, bool pretty, string include = "")
    {
        var meta = new JsonObject { ["resourceVersion"] = $"{page.Revision}" };
        if (page.Continue is not null) meta["continue"] = page.Continue;
        if (page.Remaining is not null) meta["remainingItemCount"] = page.Remaining;
        JsonObject tree;
        if (accept.Contains("as=Table", StringComparison.Ordinal))
        {
            tree = Tables.ToTable(Pods, page.Items.Select(static e => CacheEntry.Parse(Json(e))), meta, TableForm.Include(include));
        }
        else
        {
            var partial = accept.Contains("as=Partial", StringComparison.Ordinal);
            var items = new JsonArray();
            foreach (var entry in page.Items)
            {
                var item = CacheEntry.Parse(Json(entry));
                if (partial) item = new JsonObject { ["kind"] = "PartialObjectMetadata", ["apiVersion"] = "meta.k8s.io/v1", ["metadata"] = item["metadata"]!.DeepClone() };
                else Assert.True(item.Remove("kind") && item.Remove("apiVersion"));
                items.Add(item);
            }

            tree = new JsonObject { ["kind"] = partial ? "PartialObjectMetadataList" : "PodList", ["apiVersion"] = partial ? "meta.k8s.io/v1" : "v1", ["metadata"] = meta, ["items"] = items };
        }

        if (accept.StartsWith(Protobuf, StringComparison.Ordinal)) return ProtobufCodec.Encode(tree, Encoder(accept, false).Messages.ListSchema());
        if (accept.StartsWith("application/yaml", StringComparison.Ordinal)) return YamlText.Write(tree);
        if (!pretty) return [.. JsonBytes.Write(tree), (byte)'\n'];
        using var buffer = new MemoryStream();
        using (var writer = new Utf8JsonWriter(buffer, ResponseWriter.Indented)) tree.WriteTo(writer);
        return buffer.ToArray();
    }

    private static byte[] Json(CacheEntry entry)
    {
        var buffer = new System.Buffers.ArrayBufferWriter<byte>();
        entry.WriteJson(buffer);
        return buffer.WrittenSpan.ToArray();
    }

    private static async Task<byte[]> SendAsync(ListPage page, string accept, bool pretty, bool gzip, string include = "")
    {
        var context = Context(gzip, out var body);
        await ListResponse.WriteAsync(context, Encoder(accept, pretty, include), page, default);
        if (context.Response.Headers.ContentEncoding.Count == 0) return body.ToArray();
        body.Position = 0;
        using var unzipped = new MemoryStream();
        await using (var zip = new GZipStream(body, CompressionMode.Decompress)) await zip.CopyToAsync(unzipped);
        return unzipped.ToArray();
    }

    private static string Text(byte[] bytes) => Encoding.UTF8.GetString(bytes);

    private static DefaultHttpContext Context(bool gzip, out MemoryStream body)
    {
        var context = new DefaultHttpContext();
        context.Request.Method = "GET";
        if (gzip) context.Request.Headers.AcceptEncoding = "gzip";
        context.Response.Body = body = new MemoryStream();
        return context;
    }

    internal static ObjectEncoder Encoder(string accept, bool pretty, string include = "") =>
        new(Pods, Pod, Representation.Negotiate(accept, allowShapes: true, hasProtobuf: true)!.Value with { Pretty = pretty }, Tables, include);

    /// <summary>Pods of all sorts that no cache keeps.</summary>
    private static List<CacheEntry> Entries(int count)
    {
        var layout = new CacheLayout(Pods, [], static _ => []);
        return [.. Enumerable.Range(0, count).Select(i => Entry(layout, i))];
    }

    /// <summary>Pods that a cache holds, packed.</summary>
    internal static List<CacheEntry> Packed(int count)
    {
        var entries = Entries(count);
        foreach (var entry in entries)
        {
            entry.Keep();
            entry.Cool();
        }

        return entries;
    }

    private static CacheEntry Entry(CacheLayout layout, int index)
    {
        JsonObject pod;
        if (index % 250 == 6)
        {
            pod = (JsonObject)Filled.DeepClone();
            pod["metadata"]!["name"] = "filled-" + index;
            pod["metadata"]!.AsObject().Remove("resourceVersion");
        }
        else
        {
            pod = JsonNode.Parse($$"""
                {"kind":"Pod","apiVersion":"v1","metadata":{"name":"pod-{{index}}","namespace":"default","uid":"{{Guid.Empty}}","creationTimestamp":"2026-01-01T00:00:00Z","labels":{"app":"a{{index % 7}}","é <&> \"'":"x"},
                "annotations":{"text":"line\n two\t\u0001 ☺ 😀 '","own":"{{new string((char)('a' + (index % 26)), index % 4000)}}"},"managedFields":[{"manager":"m","operation":"Update","apiVersion":"v1","fieldsType":"FieldsV1","fieldsV1":{"f:metadata":{"f:labels":{".":{},"f:app":{} } } } }]},
                "spec":{"containers":[{"name":"c","image":"i","args":["yes","0x1","- a",""],"resources":{"limits":{"cpu":"100m"} } }],"nodeName":"n{{index % 5}}"},
                "status":{"phase":"{{(index % 3 == 0 ? "Succeeded" : "Running")}}","containerStatuses":[{"name":"c","ready":true,"restartCount":{{index % 4}},"image":"i","imageID":"","state":{} }]} }
                """)!.AsObject();
        }

        return CacheEntry.Create(layout, new StoredObject(StorageKeys.Key(Pods, "default", (string)pod["metadata"]!["name"]!), JsonBytes.Write(pod), 100 + index));
    }

    /// <summary>Entries, and how far somebody has looked.</summary>
    private sealed class Watched(List<CacheEntry> entries) : IReadOnlyList<CacheEntry>
    {
        public int Furthest { get; private set; }

        public int FailsAt { get; init; } = int.MaxValue;

        public int Count => entries.Count;

        public CacheEntry this[int index]
        {
            get
            {
                if (index == FailsAt) throw new InvalidOperationException("nothing to be had");
                Furthest = Math.Max(Furthest, index);
                return entries[index];
            }
        }

        public IEnumerator<CacheEntry> GetEnumerator() => entries.GetEnumerator();

        IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();
    }

    /// <summary>Takes the first bytes only when told so.</summary>
    private sealed class SlowStream : MemoryStream
    {
        public TaskCompletionSource Asked { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public TaskCompletionSource Go { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public Action? OnWrite { get; init; }

        public int Largest { get; private set; }

        public int Writes { get; private set; }

        public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
        {
            Largest = Math.Max(Largest, buffer.Length);
            Writes++;
            Asked.TrySetResult();
            if (OnWrite is { } act) act();
            else await Go.Task.WaitAsync(cancellationToken);
        }
    }

    private sealed class StandingTime : TimeProvider
    {
        public override DateTimeOffset GetUtcNow() => new(2026, 5, 1, 0, 0, 0, TimeSpan.Zero);
    }
}
