using Mesh.Dns.Wire;
using Mesh.Dns.Zone;
using Record = Mesh.Dns.Wire.Record;

namespace Mesh.Dns.Tests.Zone;

public class ClusterZoneTests
{
    private readonly ClusterZone zone = new("cluster.local", FakeDirectory.Sample());

    [Theory]
    [InlineData("web.default.svc.cluster.local", "A", "10.96.0.5")]
    [InlineData("db.default.svc.cluster.local", "A", "10.244.0.7 10.244.0.8")]
    [InlineData("db-0.db.default.svc.cluster.local", "A", "10.244.0.7")]
    [InlineData("10-244-0-8.db.default.svc.cluster.local", "A", "10.244.0.8")]
    [InlineData("10-244-0-9.default.pod.cluster.local", "A", "10.244.0.9")]
    [InlineData("5.0.96.10.in-addr.arpa", "Ptr", "web.default.svc.cluster.local")]
    [InlineData("7.0.244.10.in-addr.arpa", "Ptr", "db-0.db.default.svc.cluster.local")]
    [InlineData("8.0.244.10.in-addr.arpa", "Ptr", "10-244-0-8.db.default.svc.cluster.local")]
    [InlineData("_http._tcp.web.default.svc.cluster.local", "Srv", "0 100 80 web.default.svc.cluster.local")]
    [InlineData("_sql._tcp.db.default.svc.cluster.local", "Srv", "0 50 5432 db-0.db.default.svc.cluster.local|0 50 5432 10-244-0-8.db.default.svc.cluster.local")]
    [InlineData("ext.default.svc.cluster.local", "A", "www.example.org")]
    [InlineData("dns-version.cluster.local", "Txt", "1.1.0")]
    public void AnswersRecords(string name, string type, string expected)
    {
        var answer = Ask(name, type);
        Assert.NotNull(answer);
        Assert.Equal(ResponseCode.NoError, answer.Code);
        var separator = expected.Contains('|') ? "|" : expected.StartsWith("0 ", StringComparison.Ordinal) ? "|" : " ";
        Assert.Equal(expected, string.Join(separator, answer.Records.Select(Text)));
    }

    [Theory]
    [InlineData("web.default.svc.cluster.local", "Aaaa")]
    [InlineData("default.svc.cluster.local", "A")]
    [InlineData("svc.cluster.local", "A")]
    [InlineData("_http._tcp.web.default.svc.cluster.local", "A")]
    public void KnownNamesWithoutSuchARecordAreEmptyWithSoa(string name, string type)
    {
        var answer = Ask(name, type)!;
        Assert.Equal(ResponseCode.NoError, answer.Code);
        Assert.Empty(answer.Records);
        Assert.Equal(RecordType.Soa, Assert.Single(answer.Authority).Type);
    }

    [Theory]
    [InlineData("nope.default.svc.cluster.local")]
    [InlineData("web.nope.svc.cluster.local")]
    [InlineData("none.default.svc.cluster.local")]
    [InlineData("x.web.default.svc.cluster.local")]
    [InlineData("_nope._tcp.web.default.svc.cluster.local")]
    [InlineData("_http._udp.web.default.svc.cluster.local")]
    [InlineData("10-244-0-9.nope.pod.cluster.local")]
    [InlineData("hello.default.pod.cluster.local")]
    [InlineData("a.b.c.d.e.default.svc.cluster.local")]
    public void UnknownNamesOfTheZoneDoNotExist(string name)
    {
        Assert.Equal(ResponseCode.NameError, Ask(name, "A")!.Code);
    }

    [Theory]
    [InlineData("www.example.org")]
    [InlineData("notcluster.local")]
    [InlineData("9.9.9.9.in-addr.arpa")]
    public void OtherNamesAreNotOurs(string name) => Assert.Null(Ask(name, "A"));

    [Fact]
    public void BeforeTheCachesAreFilledTheAnswerIsAFailureNotANo()
    {
        var directory = FakeDirectory.Sample();
        directory.Ready = false;
        Assert.Equal(ResponseCode.ServerFailure, new ClusterZone("cluster.local", directory).Resolve(new Question("web.default.svc.cluster.local", RecordType.A, 1))!.Code);
    }

    private Answer? Ask(string name, string type) => zone.Resolve(new Question(name, Enum.Parse<RecordType>(type), 1));

    internal static string Text(Record record) => record.Data switch
    {
        RecordData.Address a => a.Value.ToString(),
        RecordData.DomainName n => n.Value,
        RecordData.Service s => $"{s.Priority} {s.Weight} {s.Port} {s.Target}",
        RecordData.Text t => t.Value,
        _ => record.Type.ToString(),
    };
}
