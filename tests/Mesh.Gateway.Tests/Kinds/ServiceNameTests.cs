using Mesh.Api;

namespace Mesh.Gateway.Tests.Kinds;

/// <summary>Names of Services are DNS-1123 labels since 1.36 (KEP-5311): they may begin with a digit; so may the names that ingresses use.</summary>
public class ServiceNameTests
{
    private const string Rule = "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')";
    private readonly KindHarness harness = new();

    [Theory]
    [InlineData("web", null)]
    [InlineData("1st-web", null)]
    [InlineData("9", null)]
    [InlineData("-web", Rule)]
    [InlineData("Web", Rule)]
    [InlineData("a.b", "must not contain dots")]
    public void Services(string name, string? refusal) =>
        Assert.Equal(refusal is null ? [] : [refusal], harness.Strategy("", "services").ValidateName(name, isPrefix: false));

    [Theory]
    [InlineData("1st-web", null)]
    [InlineData("Web", Rule)]
    public async Task Backends_of_ingresses(string name, string? refusal)
    {
        var create = harness.CreateAsync("networking.k8s.io", "ingresses", KindHarness.Json(
            """{"metadata":{"name":"i","namespace":"default"},"spec":{"defaultBackend":{"service":{"name":"NAME","port":{"number":80}}}}}""".Replace("NAME", name, StringComparison.Ordinal)));
        if (refusal is null) await create;
        else Assert.Contains($"spec.defaultBackend.service.name: Invalid value: \"{name}\": {refusal}", (await Assert.ThrowsAsync<ApiException>(() => create)).Message);
    }
}
