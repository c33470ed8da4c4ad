using System.Text;
using Mesh.Api.Tests;

namespace Mesh.Gateway.Tests.Http;

/// <summary>Damaged requests from fixed seeds over real sockets: the gateway answers each, never with a 500, and is there for the next.</summary>
[Collection("gateway")]
public class HttpFuzzTests(GatewayHost gateway)
{
    private const string Pod = """{"apiVersion":"v1","kind":"Pod","metadata":{"name":"fuzz","labels":{"a":"b"}},"spec":{"containers":[{"name":"c","image":"i","ports":[{"containerPort":80}],"resources":{"limits":{"cpu":"1"}}}],"serviceAccountName":"x"}}""";

    /// <summary>Requests of each target when the environment says so; else a share of what the decoders get, a request being dearer.</summary>
    private static int? Rounds { get; } = int.TryParse(Environment.GetEnvironmentVariable("MESH_FUZZ_HTTP_ROUNDS"), out var rounds) ? rounds : null;

    [Fact]
    public Task Targets() => RunAsync(31, "/api/v1/namespaces/default/configmaps/name?labelSelector=a%3Db&fieldSelector=metadata.name%3Dx&limit=5&continue=abc&resourceVersion=0&timeoutSeconds=1&pretty=true",
        target => ($"GET {Clean(target)} HTTP/1.1", "", []));

    [Fact]
    public Task Watch_targets() => RunAsync(32, "/api/v1/watch/namespaces/default/configmaps?watch=1&timeoutSeconds=1&resourceVersion=1&allowWatchBookmarks=true&sendInitialEvents=true&resourceVersionMatch=NotOlderThan",
        target => ($"GET {Clean(target).Replace("timeoutSeconds", "x", StringComparison.Ordinal)}&timeoutSeconds=1 HTTP/1.1", "", []), share: 20, connections: 32);

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

    /// <summary>Inputs are made one after the other from the seed and sent over a few connections that stay open: by number they are always the same.</summary>
    private async Task RunAsync(int seed, string sample, Func<byte[], (string Line, string Headers, byte[] Body)> make, int share = 4, int connections = 4)
    {
        var random = new Random(seed);
        var bytes = Encoding.UTF8.GetBytes(sample);
        var rounds = Rounds ?? Math.Max(50, Fuzz.Rounds / share / 2);
        var next = 0;
        var gate = new Lock();
        await Task.WhenAll(Enumerable.Range(0, connections).Select(_ => Task.Run(async () =>
        {
            using var wire = new FuzzWire(gateway.Client.BaseAddress!, $"Authorization: {gateway.Client.DefaultRequestHeaders.Authorization}\r\n");
            while (true)
            {
                int round;
                byte[] damaged;
                lock (gate)
                {
                    if (next == rounds) return;
                    round = next++;
                    damaged = Fuzz.Damage(random, bytes);
                }

                var (line, headers, body) = make(damaged);
                var status = await wire.SendAsync(line, headers, body);
                // 501 is a method nobody has, 505 a version (of a second request that the damage made behind the one before), 503 and 504 are "not now". 599 stands for Kubernetes' own 500: a patch that does not fit.
                Assert.True(status is (>= 200 and < 500) or 501 or 503 or 504 or 505 or 599, $"seed {seed} round {round}: {status} for {line}\n{headers}\n{Convert.ToBase64String(damaged)}");
            }
        })));
    }

    private async Task<int> SendAsync(string line, string headers, byte[] body)
    {
        using var wire = new FuzzWire(gateway.Client.BaseAddress!, $"Authorization: {gateway.Client.DefaultRequestHeaders.Authorization}\r\n");
        return await wire.SendAsync(line, headers, body);
    }
}
