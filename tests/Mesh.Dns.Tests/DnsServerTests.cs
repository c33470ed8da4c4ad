using System.Net;
using System.Net.Sockets;
using Mesh.Dns.Forwarding;
using Mesh.Dns.Tests.Zone;
using Mesh.Dns.Wire;
using Mesh.Dns.Zone;
using Microsoft.Extensions.Logging.Abstractions;
using Record = Mesh.Dns.Wire.Record;

namespace Mesh.Dns.Tests;

public sealed class DnsServerTests : IDisposable
{
    private readonly CancellationTokenSource stop = new(TimeSpan.FromSeconds(30));
    private readonly FakeUpstream upstream = new();

    public void Dispose()
    {
        stop.Cancel();
        stop.Dispose();
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task AnswersOverUdpAndTcp(bool tcp)
    {
        var server = await StartAsync();
        var answer = await AskAsync(server, AddressLookup.Write(new Question("WEB.default.svc.cluster.local", RecordType.A, 1), 7), tcp);
        Assert.Equal("10.96.0.5", ClusterZoneTests.Text(Assert.Single(AddressLookup.Read(answer))));
        Assert.Equal(7, answer[1]);
        Assert.Equal(0x84, answer[2] & 0x84);
    }

    [Fact]
    public async Task ExternalNameIsFollowedOutside()
    {
        var server = await StartAsync();
        var records = AddressLookup.Read(await AskAsync(server, AddressLookup.Write(new Question("ext.default.svc.cluster.local", RecordType.A, 1), 1), tcp: false));
        Assert.Equal(["www.example.org", "192.0.2.80"], records.Select(ClusterZoneTests.Text));
    }

    [Fact]
    public async Task ExternalNameIsFollowedInside()
    {
        var server = await StartAsync();
        var records = AddressLookup.Read(await AskAsync(server, AddressLookup.Write(new Question("alias.default.svc.cluster.local", RecordType.A, 1), 1), tcp: false));
        Assert.Equal(["web.default.svc.cluster.local", "10.96.0.5"], records.Select(ClusterZoneTests.Text));
    }

    [Fact]
    public async Task AliasThatPointsAtItselfEnds()
    {
        var server = await StartAsync();
        var records = AddressLookup.Read(await AskAsync(server, AddressLookup.Write(new Question("loop.default.svc.cluster.local", RecordType.A, 1), 1), tcp: false));
        Assert.InRange(records.Count, 1, 10);
    }

    [Fact]
    public async Task OtherNamesGoUpstreamUnchanged()
    {
        var server = await StartAsync();
        var query = AddressLookup.Write(new Question("www.example.org", RecordType.A, 1), 99);
        var records = AddressLookup.Read(await AskAsync(server, query, tcp: false));
        Assert.Equal("192.0.2.80", ClusterZoneTests.Text(Assert.Single(records)));
        Assert.Equal(query, upstream.Asked);
    }

    [Fact]
    public async Task DeadUpstreamIsServerFailure()
    {
        upstream.Dead = true;
        var server = await StartAsync();
        var answer = await AskAsync(server, AddressLookup.Write(new Question("www.example.org", RecordType.A, 1), 99), tcp: false);
        Assert.Equal((int)ResponseCode.ServerFailure, answer[3] & 0xF);
    }

    [Fact]
    public async Task GarbageNeverStopsTheServer()
    {
        var server = await StartAsync();
        var random = new Random(4711);
        using var socket = new UdpClient();
        for (var i = 0; i < 5000; i++)
        {
            var packet = new byte[random.Next(0, 80)];
            random.NextBytes(packet);
            await socket.SendAsync(packet, server);
        }

        var answer = await AskAsync(server, AddressLookup.Write(new Question("web.default.svc.cluster.local", RecordType.A, 1), 7), tcp: true);
        Assert.Single(AddressLookup.Read(answer));
    }

    [Fact]
    public void AnAnswerTooLongForUdpIsCutAndMarked()
    {
        var records = Enumerable.Range(0, 100).Select(i => new Record($"n{i}.example.org", RecordType.A, 1, new RecordData.Address(IPAddress.Loopback))).ToList();
        var query = new Query(1, 0, true, new Question("x.example.org", RecordType.A, 1), true, 512);
        var packet = new ResponseWriter().Write(query, Answer.Of(records), 512);
        Assert.InRange(packet.Length, 400, 512);
        Assert.Equal(0x02, packet.Span[2] & 0x02);
        Assert.InRange(AddressLookup.Read(packet.Span).Count, 10, 99);
    }

    private async Task<IPEndPoint> StartAsync()
    {
        var handler = new DnsHandler(new ClusterZone("cluster.local", FakeDirectory.Sample()), upstream, new DnsMetrics());
        var listening = new TaskCompletionSource<IPEndPoint>();
        _ = new DnsServer(handler, NullLogger<DnsServer>.Instance).RunAsync(new IPEndPoint(IPAddress.Loopback, 0), listening, stop.Token);
        return await listening.Task.WaitAsync(stop.Token);
    }

    private async Task<byte[]> AskAsync(IPEndPoint server, byte[] query, bool tcp) =>
        await new Upstream([server], TimeProvider.System).AskAsync(query, tcp, stop.Token) ?? throw new TimeoutException("no answer");

    private sealed class FakeUpstream : IUpstream
    {
        public byte[]? Asked { get; private set; }

        public bool Dead { get; set; }

        public async ValueTask<byte[]?> AskAsync(ReadOnlyMemory<byte> query, bool tcp, CancellationToken ct)
        {
            await Task.Yield();
            if (Dead)
                return null;
            Asked = query.ToArray();
            Assert.True(QueryReader.TryRead(query.Span, out var parsed));
            return new ResponseWriter()
                .Write(parsed, Answer.Of([new Record(parsed.Question.Name, RecordType.A, 60, new RecordData.Address(IPAddress.Parse("192.0.2.80")))]), 512)
                .ToArray();
        }
    }
}
