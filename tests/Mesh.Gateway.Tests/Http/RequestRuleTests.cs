using Mesh.Gateway.Http;

namespace Mesh.Gateway.Tests.Http;

/// <summary>Parameters and bodies that are read before any object is: what is wrong with them, word for word.</summary>
[Collection("gateway")]
public sealed class RequestRuleTests(GatewayHost gateway)
{
    private const string Default = "/api/v1/namespaces/default/";

    [Theory]
    [InlineData("x", "time: invalid duration \"x\"")]
    [InlineData("-", "time: invalid duration \"-\"")]
    [InlineData("1.2.3s", "time: missing unit in duration \"1.2.3s\"")]
    [InlineData("5", "time: missing unit in duration \"5\"")]
    [InlineData("5y", "time: unknown unit \"y\" in duration \"5y\"")]
    [InlineData("9999999h", "time: invalid duration \"9999999h\"")]
    public async Task A_timeout_that_is_no_duration(string timeout, string why)
    {
        var (code, status) = await gateway.GetAsync("/api/v1/namespaces?timeout=" + timeout);
        Assert.Equal((400, "BadRequest", "invalid timeout specified in the request URL - " + why), (code, (string?)status["reason"], (string?)status["message"]));
    }

    [Theory]
    [InlineData("", 60_000)]
    [InlineData("0", 60_000)]
    [InlineData("0s", 60_000)]
    [InlineData("-1s", 60_000)]
    [InlineData("1h30m", 60_000)]
    [InlineData("1m", 60_000)]
    [InlineData("34s", 34_000)]
    [InlineData("1.5s250ms", 1_750)]
    [InlineData("+2s", 2_000)]
    public void A_timeout_counts_below_the_servers_own(string timeout, int milliseconds) => Assert.Equal(TimeSpan.FromMilliseconds(milliseconds), RequestDeadline.Of(timeout));

    [Fact]
    public async Task A_request_ends_when_its_time_is_over()
    {
        // Waits for a revision that does not come.
        var (code, status) = await gateway.GetAsync("/api/v1/namespaces?resourceVersion=999999999&timeout=50ms");
        Assert.Equal((504, "Timeout", "Timeout: request did not complete within the allotted timeout"), (code, (string?)status["reason"], (string?)status["message"]));
        (code, _) = await gateway.GetAsync("/api/v1/namespaces?timeout=34s");
        Assert.Equal(200, code);
    }

    [Theory]
    [InlineData("sinceSeconds=0", 422, "PodLogOptions \"none\" is invalid: sinceSeconds: Invalid value: 0: must be greater than 0")]
    [InlineData("sinceTime=2020-01-01T00:00:00Z&sinceSeconds=1", 422, "PodLogOptions \"none\" is invalid: []: Forbidden: at most one of `sinceTime` or `sinceSeconds` may be specified")]
    [InlineData("tailLines=-1&limitBytes=0", 422, "PodLogOptions \"none\" is invalid: [tailLines: Invalid value: -1: must be greater than or equal to 0, limitBytes: Invalid value: 0: must be greater than 0]")]
    [InlineData("stream=Stdout", 422, "PodLogOptions \"none\" is invalid: stream: Forbidden: may not be specified")]
    [InlineData("sinceSeconds=x", 400, "strconv.ParseInt: parsing \"x\": invalid syntax")]
    [InlineData("sinceTime=x", 400, "parsing time \"x\" as \"2006-01-02T15:04:05Z07:00\": cannot parse \"x\" as \"2006\"")]
    [InlineData("tailLines=0&limitBytes=1&sinceSeconds=1", 404, "pods \"none\" not found")]
    public async Task Options_of_a_log_are_looked_at_before_the_pod(string query, int code, string message)
    {
        var (got, status) = await gateway.GetAsync(Default + "pods/none/log?" + query);
        Assert.Equal((code, message), (got, (string?)status["message"]));
    }

    [Theory]
    [InlineData("GET", "//api", 404, "text/plain")]
    [InlineData("GET", "//api/v1/pods", 404, "text/plain")]
    [InlineData("GET", "/api//v1", 404, "application/json")]
    [InlineData("GET", "/api/v1//pods", 404, "application/json")]
    [InlineData("GET", "/api/v1/namespaces/default//pods", 404, "application/json")]
    [InlineData("GET", "/api/v1/namespaces//pods", 200, "application/json")]
    [InlineData("GET", "/api/v1/namespaces/default/pods//", 200, "application/json")]
    [InlineData("GET", "/./api", 404, "text/plain")]
    [InlineData("GET", "/api/../apis", 404, "application/json")]
    [InlineData("GET", "/api/v1/./pods", 404, "application/json")]
    [InlineData("GET", "/api/v1/namespaces/default/pods/%2e%2e/pods", 404, "application/json")]
    [InlineData("GET", "/apis//apps/v1", 404, "text/plain")]
    [InlineData("GET", "/apis/apps//v1", 404, "application/json")]
    [InlineData("GET", "/apis/apps/v2", 404, "application/json")]
    [InlineData("GET", "/api/v2", 404, "application/json")]
    [InlineData("GET", "/apis/nope/v1", 404, "text/plain")]
    [InlineData("GET", "//version", 404, "text/plain")]
    [InlineData("GET", "/version/", 200, "application/json")]
    [InlineData("GET", "/healthz/", 404, "text/plain")]
    [InlineData("GET", "/openapi/v2/", 404, "text/plain")]
    [InlineData("GET", "/openid/v1/jwks/", 200, "application/jwk-set+json")]
    [InlineData("HEAD", "/metrics", 200, "text/plain")]
    [InlineData("POST", "/api", 405, "application/json")]
    [InlineData("DELETE", "/apis/apps/v1", 405, "application/json")]
    [InlineData("POST", "/apis/apps", 200, "application/json")]
    [InlineData("PUT", "/version", 405, "application/json")]
    public async Task Paths_are_taken_as_they_are_written(string method, string path, int code, string type)
    {
        var (head, _) = await RawHttp.SendAsync(gateway, $"{method} {path} HTTP/1.1", "Content-Length: 0\r\n", []);
        Assert.StartsWith($"HTTP/1.1 {code} ", head);
        Assert.Contains("\r\nContent-Type: " + type, head);
    }

    [Theory]
    [InlineData(10_000, false)]
    [InlineData(8 << 20, true)]
    public async Task Who_sends_much_more_than_is_taken_is_not_listened_to_any_longer(int more, bool closed)
    {
        // As by Go: a quarter of a megabyte is read to keep the connection.
        var body = new byte[BodyReader.Limit + more];
        var (head, answer) = await RawHttp.SendAsync(gateway, "POST /api/v1/namespaces/default/configmaps HTTP/1.1", $"Content-Type: application/json\r\nContent-Length: {body.Length}\r\n", body);
        Assert.StartsWith("HTTP/1.1 413 ", head);
        Assert.Contains("Request entity too large: limit is 3145728", answer);
        Assert.Equal(closed, head.Contains("\r\nConnection: close", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("", false)]
    [InlineData("User-Agent: curl/8.0\r\n", true)]
    [InlineData("User-Agent: Mozilla/5.0 (X11)\r\n", true)]
    [InlineData("User-Agent: kubectl/v1.35.2\r\n", false)]
    public async Task People_get_indented_refusals_and_documents(string agent, bool indented)
    {
        Assert.Equal(indented, (await RawHttp.SendAsync(gateway, "GET /api/v1/nothing HTTP/1.1", agent, [])).Body.StartsWith("{\n  \"kind\": \"Status\"", StringComparison.Ordinal));
        Assert.Equal(indented, (await RawHttp.SendAsync(gateway, "GET /apis/apps HTTP/1.1", agent, [])).Body.StartsWith("{\n  \"kind\": \"APIGroup\"", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("\"abc\"", "illegal base64 data at input byte 0")]
    [InlineData("\"abcde\"", "illegal base64 data at input byte 4")]
    [InlineData("\"!!!!\"", "illegal base64 data at input byte 0")]
    [InlineData("1", "json: cannot unmarshal number into Go struct field Secret.data of type []uint8")]
    [InlineData("true", "json: cannot unmarshal bool into Go struct field Secret.data of type []uint8")]
    [InlineData("{}", "json: cannot unmarshal object into Go struct field Secret.data of type []uint8")]
    [InlineData("[\"x\"]", "json: cannot unmarshal string into Go struct field Secret.data of type uint8")]
    [InlineData("[256]", "json: cannot unmarshal number 256 into Go struct field Secret.data of type uint8")]
    public async Task Data_of_a_secret_that_is_none(string value, string why)
    {
        var (code, status) = await gateway.PostAsync(Default + "secrets", """{"kind":"Secret","apiVersion":"v1","metadata":{"name":"rule-bad"},"data":{"a":VALUE}}""".Replace("VALUE", value, StringComparison.Ordinal));
        Assert.Equal((400, "Secret in version \"v1\" cannot be handled as a Secret: " + why), (code, (string?)status["message"]));
    }

    [Theory]
    [InlineData("[1,2]", "AQI=")]
    [InlineData("[]", "")]
    [InlineData("null", "")]
    [InlineData("\"AQ\\nI=\"", "AQI=")]
    public async Task Data_of_a_secret_in_other_spellings(string value, string stored)
    {
        var (code, secret) = await gateway.PostAsync(Default + "secrets", """{"metadata":{"generateName":"rule-"},"data":{"a":VALUE}}""".Replace("VALUE", value, StringComparison.Ordinal));
        Assert.Equal((201, stored), (code, (string?)secret["data"]!["a"]));
    }

    [Fact]
    public async Task Events_are_one_kind_in_both_groups()
    {
        var (code, status) = await gateway.PostAsync("/apis/events.k8s.io/v1/namespaces/default/events", """{"metadata":{"name":"rule-event"},"regarding":{"namespace":"x"}}""");
        Assert.Equal(
            (422, "Event \"rule-event\" is invalid: [involvedObject.namespace: Invalid value: \"x\": does not match event.namespace, eventTime: Required value, type: Invalid value: \"\": has invalid value: ]"),
            (code, (string?)status["message"]));
        Assert.Equal(("Event", null), ((string?)status["details"]!["kind"], (string?)status["details"]!["group"]));
    }

    [Theory]
    [InlineData("[{}]", "allowedTopologies[0].matchLabelExpressions: Duplicate value: \"\"", 1)]
    [InlineData("[{},{}]", "[allowedTopologies[0].matchLabelExpressions: Duplicate value: \"\", allowedTopologies[1].matchLabelExpressions: Duplicate value: \"\"]", 5)]
    [InlineData("""[{"matchLabelExpressions":[{"key":"a","values":["b"]}]},{"matchLabelExpressions":[]}]""", "allowedTopologies[1].matchLabelExpressions: Duplicate value: \"\"", 2)]
    public async Task Topology_terms_without_expressions(string terms, string message, int causes)
    {
        var (code, status) = await gateway.PostAsync("/apis/storage.k8s.io/v1/storageclasses", """{"metadata":{"name":"rule-class"},"provisioner":"x/y","allowedTopologies":""" + terms + "}");
        Assert.Equal((422, "StorageClass.storage.k8s.io \"rule-class\" is invalid: " + message), (code, (string?)status["message"]));
        Assert.Equal(causes, status["details"]!["causes"]!.AsArray().Count);
    }
}
