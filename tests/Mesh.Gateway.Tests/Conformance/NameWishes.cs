using Mesh.Gateway.Registry;
using Mesh.Hosting;
using Mesh.Security.Tokens;
using Mesh.Testing;

namespace Mesh.Gateway.Tests.Conformance;

/// <summary>Names that the server makes up and that are taken already.</summary>
public sealed class NameWishes(NameWishes.Gateway api) : IClassFixture<NameWishes.Gateway>
{
    private const string Body = """{"metadata":{"generateName":"made-"}}""";

    [Theory, Compatibility(13)]
    [InlineData("")]
    [InlineData("?dryRun=All")]
    public async Task A_taken_name_is_tried_again_under_another_seven_times(string query)
    {
        var maps = await TakenAsync();
        api.Names.Next("taken", 7);
        var made = await api.MakeAsync(maps + query, Body);
        Assert.Equal("made-8", made.Name());
        Assert.Equal(8, api.Names.Asked);
    }

    [Theory, Compatibility(13)]
    [InlineData("")]
    [InlineData("?dryRun=All")]
    public async Task After_eight_the_last_is_said_to_be_taken(string query)
    {
        var maps = await TakenAsync();
        api.Names.Next("taken", 100);
        using var body = new StringContent(Body, System.Text.Encoding.UTF8, "application/json");
        using var answer = await api.Client.PostAsync(new Uri(maps + query, UriKind.Relative), body);
        var status = System.Text.Json.Nodes.JsonNode.Parse(await answer.Content.ReadAsStringAsync())!;
        Assert.Equal(8, api.Names.Asked);
        Assert.Equal((409, "AlreadyExists", "configmaps \"taken\" already exists, the server was not able to generate a unique name for the object"),
            ((int)answer.StatusCode, (string?)status["reason"], (string?)status["message"]));
        Assert.Equal(("taken", "configmaps", 1), ((string?)status["details"]!["name"], (string?)status["details"]!["kind"], (int?)status["details"]!["retryAfterSeconds"]));
        Assert.Equal("1", answer.Headers.GetValues("Retry-After").Single());
    }

    [Fact, Compatibility(13)]
    public async Task A_name_that_was_given_is_tried_once()
    {
        var maps = await TakenAsync();
        api.Names.Next("other", 0);
        Assert.Equal("configmaps \"taken\" already exists", await api.RefusedAsync(409, maps, """{"metadata":{"name":"taken"}}"""));
        Assert.Equal(
            "configmaps \"taken\" already exists, the server was not able to generate a unique name for the object",
            await api.RefusedAsync(409, maps, """{"metadata":{"name":"taken","generateName":"made-"}}"""));
        Assert.Equal(0, api.Names.Asked);
    }

    [Fact, Compatibility(13)]
    public async Task A_name_of_what_is_going_is_said_to_be()
    {
        var maps = await TakenAsync();
        await api.MakeAsync(maps, """{"metadata":{"name":"going","finalizers":["example.com/hold"]}}""");
        await api.DeleteAsync(maps + "/going");
        foreach (var query in (string[])["", "?dryRun=All"])
            Assert.Equal("object is being deleted: configmaps \"going\" already exists", await api.RefusedAsync(409, maps + query, """{"metadata":{"name":"going"}}"""));
        await api.PatchAsync(maps + "/going", """{"metadata":{"finalizers":null}}""");
        await api.MakeAsync(maps, """{"metadata":{"name":"going"}}""");
    }

    private async Task<string> TakenAsync()
    {
        var name = "names-" + Guid.NewGuid().ToString("N")[..8];
        await api.MakeAsync("/api/v1/namespaces", $$$$"""{"metadata":{"name":"{{{{name}}}}"}}""");
        await api.MakeAsync($"/api/v1/namespaces/{name}/configmaps", """{"metadata":{"name":"taken"}}""");
        return $"/api/v1/namespaces/{name}/configmaps";
    }

    /// <summary>A gateway whose made up names are the test's.</summary>
    public sealed class Gateway : GatewayHost
    {
        internal PlannedNames Names { get; } = new();

        private protected override void AddMore(MeshHostBuilder builder, StaticTokens known) => builder.Share<INameGenerator>(Names);
    }

    /// <summary>One name so many times, then the prefix and how often it was asked.</summary>
    internal sealed class PlannedNames : INameGenerator
    {
        private string again = "";
        private int times;

        public int Asked { get; private set; }

        public void Next(string name, int count) => (again, times, Asked) = (name, count, 0);

        public string Generate(string prefix) => ++Asked <= times ? again : prefix + Asked;
    }
}
