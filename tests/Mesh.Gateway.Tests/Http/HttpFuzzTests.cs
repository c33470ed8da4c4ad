using System.Net.Sockets;
using System.Text;
using Mesh.Api.Tests;

namespace Mesh.Gateway.Tests.Http;

/// <summary>Damaged requests from fixed seeds over real sockets: the gateway answers each, never with a 500, and is there for the next.</summary>
[Collection("gateway")]
public class HttpFuzzTests(GatewayHost gateway)
{
    private const string Pod = """{"apiVersion":"v1","kind":"Pod","metadata":{"name":"fuzz","labels":{"a":"b"}},"spec":{"containers":[{"name":"c","image":"i","ports":[{"containerPort":80}],"resources":{"limits":{"cpu":"1"}}}],"serviceAccountName":"x"}}""";

    [Fact]
    public Task Targets() => RunAsync(31, "/api/v1/namespaces/default/configmaps/name?labelSelector=a%3Db&fieldSelector=metadata.name%3Dx&limit=5&continue=abc&resourceVersion=0&timeoutSeconds=1&pretty=true",
        target => ($"GET {Clean(target)} HTTP/1.1", "", []));

    [Fact]
    public Task Watch_targets() => RunAsync(32, "/api/v1/watch/namespaces/default/configmaps?watch=1&timeoutSeconds=1&resourceVersion=1&allowWatchBookmarks=true&sendInitialEvents=true&resourceVersionMatch=NotOlderThan",
        target => ($"GET {Clean(target).Replace("timeoutSeconds", "x", StringComparison.Ordinal)}&timeoutSeconds=1 HTTP/1.1", "", []), share: 20);

    [Fact]
    public Task Continue_tokens() => RunAsync(33, """{"v":"meta.k8s.io/v1","rv":5,"start":"default/name"}""",
        token => ($"GET /api/v1/configmaps?limit=1&continue={Convert.ToBase64String(token).TrimEnd('=').Replace('+', '-').Replace('/', '_')} HTTP/1.1", "", []));

    [Fact]
    public Task Headers() => RunAsync(34, "Accept: application/json;as=Table;v=v1;g=meta.k8s.io,application/vnd.kubernetes.protobuf;q=0.5\r\nImpersonate-User: someone\r\nAccept-Encoding: gzip",
        head => ("GET /api/v1/namespaces HTTP/1.1", Encoding.Latin1.GetString(head).Replace("\0", "", StringComparison.Ordinal) + "\r\n", []));

    [Theory]
    [InlineData(35, "application/json")]
    [InlineData(36, "application/yaml")]
    [InlineData(37, "application/vnd.kubernetes.protobuf")]
    [InlineData(38, "application/nonsense; charset=x")]
    public Task Bodies(int seed, string type) => RunAsync(seed, Pod,
        body => ("POST /api/v1/namespaces/default/pods?dryRun=All&fieldValidation=Strict HTTP/1.1", $"Content-Type: {type}\r\n", body));

    [Theory]
    [InlineData(39, "application/json-patch+json", """[{"op":"add","path":"/data/k","value":"v"},{"op":"test","path":"/metadata/name","value":"kube-root-ca.crt"}]""")]
    [InlineData(40, "application/merge-patch+json", """{"data":{"k":null},"metadata":{"labels":{"a":"b"}}}""")]
    [InlineData(41, "application/strategic-merge-patch+json", """{"data":{"k":"v"},"metadata":{"$deleteFromPrimitiveList/finalizers":["x"],"$retainKeys":["name"]}}""")]
    [InlineData(42, "application/apply-patch+yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: fuzzed\n  labels: {a: b}\ndata:\n  k: v\n")]
    public async Task Patches(int seed, string type, string sample)
    {
        await gateway.PostAsync("/api/v1/namespaces/default/configmaps", """{"metadata":{"name":"fuzzed"},"data":{"k":"v"}}""");
        await RunAsync(seed, sample, body => ("PATCH /api/v1/namespaces/default/configmaps/fuzzed?fieldManager=f&dryRun=All HTTP/1.1", $"Content-Type: {type}\r\n", body));
    }

    [Theory]
    [InlineData("application/json", '[', ']')]
    [InlineData("application/yaml", '[', ']')]
    [InlineData("application/json", '{', '}')]
    public async Task Deep_nesting_is_refused(string type, char open, char close)
    {
        var inner = open == '{' ? string.Concat(Enumerable.Repeat("{\"a\":", 100_000)) + "1" + new string(close, 100_000) : new string(open, 100_000) + new string(close, 100_000);
        var status = await SendAsync("POST /api/v1/namespaces/default/configmaps HTTP/1.1", $"Content-Type: {type}\r\n", Encoding.UTF8.GetBytes($"{{\"apiVersion\":\"v1\",\"kind\":\"ConfigMap\",\"metadata\":{{\"name\":\"deep\"}},\"data\":{inner}}}"));
        Assert.InRange(status, 400, 499);
    }

    [Fact]
    public async Task A_huge_body_is_413() =>
        Assert.Equal(413, await SendAsync("POST /api/v1/namespaces/default/configmaps HTTP/1.1", "Content-Type: application/json\r\n", Encoding.UTF8.GetBytes($"{{\"metadata\":{{\"name\":\"huge\"}},\"data\":{{\"a\":\"{new string('x', 4 << 20)}\"}}}}")));

    // What a request line cannot hold would be another request.
    private static string Clean(byte[] target) => string.Concat(Encoding.Latin1.GetString(target).Where(c => c is > ' ' and < (char)127));

    private async Task RunAsync(int seed, string sample, Func<byte[], (string Line, string Headers, byte[] Body)> make, int share = 4)
    {
        var random = new Random(seed);
        var bytes = Encoding.UTF8.GetBytes(sample);
        for (var i = 0; i < Math.Max(50, Fuzz.Rounds / share / 2); i++)
        {
            var damaged = Fuzz.Damage(random, bytes);
            var (line, headers, body) = make(damaged);
            var status = await SendAsync(line, headers, body);
            // 501 is a method nobody has, 503 and 504 are "not now". 599 stands for Kubernetes' own 500: an applied configuration that does not fit the schema.
            Assert.True(status is (>= 200 and < 500) or 501 or 503 or 504 or 599, $"seed {seed} round {i}: {status} for {line}\n{headers}\n{Convert.ToBase64String(damaged)}");
        }
    }

    private async Task<int> SendAsync(string line, string headers, byte[] body)
    {
        using var client = new TcpClient();
        await client.ConnectAsync(gateway.Client.BaseAddress!.Host, gateway.Client.BaseAddress.Port);
        var stream = client.GetStream();
        var head = $"{line}\r\nHost: x\r\nConnection: close\r\nAuthorization: {gateway.Client.DefaultRequestHeaders.Authorization}\r\n{headers}{(body.Length > 0 ? $"Content-Length: {body.Length}\r\n" : "")}\r\n";
        try
        {
            await stream.WriteAsync((byte[])[.. Encoding.Latin1.GetBytes(head), .. body]);
        }
        catch (IOException)
        {
            // It may answer, and close, before it has read all of a body that it does not want.
        }

        var answer = new byte[16];
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        var read = await stream.ReadAtLeastAsync(answer, 12, throwOnEndOfStream: false, limit.Token);
        Assert.True(read >= 12, $"no answer to {line}\n{headers}");
        var status = int.Parse(Encoding.ASCII.GetString(answer, 9, 3));
        if (status != 500) return status;
        using var rest = new StreamReader(stream);
        var text = await rest.ReadToEndAsync(limit.Token);
        return text.Contains("failed to create typed patch object", StringComparison.Ordinal) || text.Contains("failed to convert new object", StringComparison.Ordinal) ? 599 : 500;
    }
}
