using System.Globalization;
using System.Net.Sockets;
using System.Text;
using System.Text.Json.Nodes;
using Mesh.Gateway.Tests.Conformance;

namespace Mesh.Gateway.Tests.Http;

/// <summary>At a socket: a list that fails is an error or a broken answer, never a short one that looks whole.</summary>
public sealed class BrokenListTests(BrokenLists gateway) : IClassFixture<BrokenLists>
{
    private const string Table = "application/json;as=Table;g=meta.k8s.io;v=v1";
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    [Theory]
    [InlineData("application/json", false)]
    [InlineData("application/json", true)]
    [InlineData("application/yaml", false)]
    [InlineData("application/yaml", true)]
    [InlineData("application/vnd.kubernetes.protobuf", false)]
    [InlineData("application/vnd.kubernetes.protobuf", true)]
    [InlineData(Table, false)]
    [InlineData(Table, true)]
    public async Task An_item_that_fails_after_the_beginning_breaks_the_answer(string accept, bool gzip)
    {
        foreach (var query in accept.StartsWith("application/json", StringComparison.Ordinal) ? (string[])["", "?pretty=1"] : [""])
        {
            var answer = await AskAsync(BrokenLists.FailingPath + query, accept, gzip);
            Assert.Equal(200, answer.Code);
            Assert.True(answer.Body.Length > 20_000, $"{answer.Body.Length} bytes came");
            Assert.False(answer.IsWhole, $"{accept} {gzip} {query}: {answer.Head}");
            // What the usual client makes of it.
            using var request = new HttpRequestMessage(HttpMethod.Get, BrokenLists.FailingPath + query);
            request.Headers.TryAddWithoutValidation("Accept", accept);
            if (gzip) request.Headers.TryAddWithoutValidation("Accept-Encoding", "gzip");
            await Assert.ThrowsAnyAsync<Exception>(async () => await (await gateway.Client.SendAsync(request)).Content.ReadAsByteArrayAsync());
        }
    }

    /// <summary>6 MB at an old revision, which the gateway takes of the store in two answers: it goes away before, in or after the first, or in the second.</summary>
    [Theory]
    [InlineData(1)]
    [InlineData(3_000_000)]
    [InlineData(6_700_000)]
    public async Task A_store_that_goes_away_while_it_is_read_is_an_error(long after)
    {
        await gateway.UntilAsync(BrokenLists.Path + "?limit=1", static _ => true); // the cache has what is there now, and the store is there
        try
        {
            gateway.Relay.CutAfter(after);
            var answer = await AskAsync($"{BrokenLists.Path}?resourceVersion={gateway.Then}&resourceVersionMatch=Exact", "application/json", gzip: false);
            Assert.True(gateway.Relay.IsCut);
            Assert.Equal(503, answer.Code);
            Assert.True(answer.IsWhole);
            var status = JsonNode.Parse(answer.Body)!;
            Assert.Equal(("Status", "Failure", "ServiceUnavailable"), ((string?)status["kind"], (string?)status["status"], (string?)status["reason"]));
            Assert.Null(status["items"]);
        }
        finally
        {
            gateway.Relay.Mend();
        }
    }

    /// <summary>What the gateway has read of the store it can send without it; the reader has not read more than the head when the store goes away.</summary>
    [Fact]
    public async Task A_store_that_goes_away_while_the_list_is_sent_takes_nothing_from_it()
    {
        await gateway.UntilAsync(BrokenLists.Path + "?limit=1", static _ => true);
        try
        {
            var answer = await AskAsync(
                $"{BrokenLists.Path}?resourceVersion={gateway.Then}&resourceVersionMatch=Exact", "application/json", gzip: false, () => gateway.Relay.CutAfter(0));
            Assert.Equal(200, answer.Code);
            Assert.True(answer.IsWhole);
            Assert.Equal(OldRevisions.Count, JsonNode.Parse(answer.Body)!["items"]!.AsArray().Count);
        }
        finally
        {
            gateway.Relay.Mend();
        }
    }

    /// <summary>One request on a connection of its own, read to the end.</summary>
    private async Task<Answer> AskAsync(string path, string accept, bool gzip, Action? afterHead = null)
    {
        using var limit = new CancellationTokenSource(Patience);
        var server = gateway.Client.BaseAddress!;
        using var client = new TcpClient { NoDelay = true, ReceiveBufferSize = 16 * 1024 };
        await client.ConnectAsync(server.Host, server.Port, limit.Token);
        var stream = client.GetStream();
        await stream.WriteAsync(
            Encoding.ASCII.GetBytes(
                $"GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: {gateway.Client.DefaultRequestHeaders.Authorization}\r\nAccept: {accept}\r\n{(gzip ? "Accept-Encoding: gzip\r\n" : "")}\r\n"),
            limit.Token);
        using var all = new MemoryStream();
        var buffer = new byte[64 * 1024];
        try
        {
            while (await stream.ReadAsync(buffer, limit.Token) is var read and > 0)
            {
                if (all.Length == 0) afterHead?.Invoke();
                all.Write(buffer, 0, read);
            }
        }
        catch (IOException)
        {
            // Cut off.
        }

        return Answer.Read(all.ToArray());
    }

    /// <param name="Code">Status code.</param>
    /// <param name="Head">Status line and headers.</param>
    /// <param name="Body">What came of the body, out of its chunks.</param>
    /// <param name="IsWhole">Whether all of it came that the head or the chunks promise.</param>
    private sealed record Answer(int Code, string Head, byte[] Body, bool IsWhole)
    {
        public static Answer Read(ReadOnlySpan<byte> bytes)
        {
            var end = bytes.IndexOf("\r\n\r\n"u8);
            Assert.True(end > 0, "no answer at all");
            var head = Encoding.ASCII.GetString(bytes[..end]);
            var code = int.Parse(head.AsSpan(9, 3), CultureInfo.InvariantCulture);
            var rest = bytes[(end + 4)..];
            if (!head.Contains("Transfer-Encoding: chunked", StringComparison.OrdinalIgnoreCase))
            {
                var at = head.IndexOf("Content-Length: ", StringComparison.OrdinalIgnoreCase);
                var length = int.Parse(head.AsSpan(at + 16).ToString().Split('\r')[0], CultureInfo.InvariantCulture);
                return new Answer(code, head, rest.ToArray(), rest.Length == length);
            }

            using var body = new MemoryStream();
            while (rest.IndexOf("\r\n"u8) is var line and > 0)
            {
                var size = int.Parse(Encoding.ASCII.GetString(rest[..line]), NumberStyles.HexNumber, CultureInfo.InvariantCulture);
                if (size == 0) return new Answer(code, head, body.ToArray(), true);
                rest = rest[(line + 2)..];
                body.Write(rest[..Math.Min(size, rest.Length)]);
                rest = rest[Math.Min(size + 2, rest.Length)..];
            }

            return new Answer(code, head, body.ToArray(), false);
        }
    }
}
