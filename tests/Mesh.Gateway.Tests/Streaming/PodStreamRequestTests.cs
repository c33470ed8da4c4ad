namespace Mesh.Gateway.Tests.Streaming;

/// <summary>Logs and sessions of pods, as far as the gateway decides alone.</summary>
[Collection("gateway")]
public sealed class PodStreamRequestTests(GatewayHost gateway)
{
    private const string Pods = "/api/v1/namespaces/default/pods";

    [Theory]
    [InlineData("tailLines=", "strconv.ParseInt: parsing \"\": invalid syntax")]
    [InlineData("tailLines=99999999999999999999", "strconv.ParseInt: parsing \"99999999999999999999\": value out of range")]
    [InlineData("limitBytes=x", "strconv.ParseInt: parsing \"x\": invalid syntax")]
    [InlineData("sinceTime=2020-01-01", "parsing time \"2020-01-01\" as \"2006-01-02T15:04:05Z07:00\": cannot parse \"\" as \"T\"")]
    [InlineData("sinceTime=x", "parsing time \"x\" as \"2006-01-02T15:04:05Z07:00\": cannot parse \"x\" as \"2006\"")]
    [InlineData("container=zzz", "container zzz is not valid for pod stream-two")]
    [InlineData("", "a container name must be specified for pod stream-two, choose one of: [i c d]")]
    public async Task Logs_that_cannot_be_asked_for(string query, string message)
    {
        await MakeAsync("stream-two", """ "initContainers":[{"name":"i","image":"x"}],"containers":[{"name":"c","image":"x"},{"name":"d","image":"x"}]""");
        var (code, status) = await gateway.GetAsync($"{Pods}/stream-two/log?{query}");
        Assert.Equal((400, message), (code, status["message"]?.ToString()));
    }

    [Theory]
    [InlineData("tailLines=-1", "tailLines: Invalid value: -1: must be greater than or equal to 0")]
    [InlineData("limitBytes=0", "limitBytes: Invalid value: 0: must be greater than 0")]
    [InlineData("sinceSeconds=0", "sinceSeconds: Invalid value: 0: must be greater than 0")]
    [InlineData("sinceSeconds=1&sinceTime=2020-01-01T00:00:00Z", ": Forbidden: at most one of `sinceTime` or `sinceSeconds` may be specified")]
    [InlineData("stream=Stdout", "stream: Forbidden: may not be specified")]
    public async Task Log_options_that_break_a_rule(string query, string message)
    {
        var (code, status) = await gateway.GetAsync($"{Pods}/any/log?{query}");
        Assert.Equal(422, code);
        Assert.Contains(message, status["message"]!.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_log_of_a_pod_without_a_node_is_empty()
    {
        await MakeAsync("stream-one", """ "containers":[{"name":"c","image":"x"}]""");
        using var answer = await gateway.Client.GetAsync($"{Pods}/stream-one/log?tailLines=1&tailLines=2");
        Assert.Equal((204, ""), ((int)answer.StatusCode, await answer.Content.ReadAsStringAsync()));
    }

    [Theory]
    [InlineData("GET", "stream-one/exec?command=a&stdout=1", 400, "pod stream-one does not have a host assigned")]
    [InlineData("GET", "stream-one/portforward?ports=x", 400, "cannot convert to []int32: strconv.ParseUint: parsing \"x\": invalid syntax")]
    [InlineData("GET", "stream-one/portforward?ports=80,70000", 400, "cannot convert to []int32: strconv.ParseUint: parsing \"70000\": value out of range")]
    [InlineData("GET", "stream-lost/log", 404, "pods \"nowhere\" not found")]
    [InlineData("POST", "stream-lost/exec?command=a&stdout=1", 404, "pods \"nowhere\" not found")]
    [InlineData("POST", "stream-one/log", 405, "the server does not allow this method on the requested resource")]
    [InlineData("DELETE", "stream-one/log", 405, "the server does not allow this method on the requested resource")]
    [InlineData("PUT", "stream-one/exec", 405, "the server does not allow this method on the requested resource")]
    public async Task Requests_that_reach_no_node(string method, string path, int code, string message)
    {
        await MakeAsync("stream-one", """ "containers":[{"name":"c","image":"x"}]""");
        await MakeAsync("stream-lost", """ "nodeName":"nowhere","containers":[{"name":"c","image":"x"}]""");
        var (answered, status) = await gateway.SendAsync(new HttpMethod(method), $"{Pods}/{path}");
        Assert.Equal((code, message), (answered, status["message"]?.ToString()));
    }

    [Theory]
    [InlineData("/api/v1/namespaces/default/configmaps/any?resourceVersion=abc")]
    [InlineData("/api/v1/namespaces/default/configmaps?watch=1&timeoutSeconds=1&resourceVersion=abc")]
    public async Task A_version_that_is_no_number_has_no_class_outside_lists(string path)
    {
        var (code, status) = await gateway.GetAsync(path);
        Assert.Equal((500, null, "resourceVersion: Invalid value: \"abc\": strconv.ParseUint: parsing \"abc\": invalid syntax"), (code, status["reason"]?.ToString(), status["message"]?.ToString()));
    }

    private async Task MakeAsync(string name, string spec)
    {
        await gateway.PostAsync("/api/v1/namespaces/default/serviceaccounts", """{"metadata":{"name":"streams"}}""");
        var pod = """{"metadata":{"name":"NAME"},"spec":{"serviceAccountName":"streams","automountServiceAccountToken":false,SPEC}}""";
        await gateway.PostAsync(Pods, pod.Replace("NAME", name, StringComparison.Ordinal).Replace("SPEC", spec, StringComparison.Ordinal));
    }
}
