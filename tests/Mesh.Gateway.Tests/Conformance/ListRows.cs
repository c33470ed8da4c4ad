using System.Text;
using System.Text.Json.Nodes;
using Mesh.Testing;

namespace Mesh.Gateway.Tests.Conformance;

/// <summary>[sig-api-machinery] Servers with support for API chunking and for Table transformation.</summary>
[Collection("gateway")]
public sealed class ListRows(GatewayHost api)
{
    private const int Templates = 40;

    [Fact, Conformance("API Chunking, server should return chunks of results for list calls")]
    public async Task Chunks_of_any_size_make_the_whole_list()
    {
        var path = await TemplatesAsync();
        foreach (var limit in (int[])[1, 7, 20, 39, 40, 41])
        {
            var (names, token, revision, last) = (new List<string>(), "", "", -1);
            do
            {
                var page = await api.ReadAsync($"{path}?limit={limit}&continue={token}");
                if (revision.Length > 0) Assert.Equal(revision, page.Revision());
                Assert.InRange(page.Items().Count, 1, limit);
                (revision, token) = (page.Revision(), (string?)page["metadata"]!["continue"] ?? "");
                names.AddRange(page.Items().Select(ApiCalls.Name));
                var remaining = (int?)page["metadata"]!["remainingItemCount"] ?? 0;
                Assert.Equal(Templates - names.Count, remaining);
                if (last >= 0) Assert.True(remaining < last);
                last = remaining;
            }
            while (token.Length > 0);

            Assert.Equal(Enumerable.Range(0, Templates).Select(Name), names);
        }

        var whole = await api.ReadAsync(path + "?limit=41");
        Assert.Null(whole["metadata"]!["continue"]);
        Assert.Equal(Templates, (await api.ReadAsync(path)).Items().Count);
    }

    [Fact, Conformance("API Chunking, server should support continue listing from the last key even if the original version has been compacted away"), Compatibility(9)]
    public async Task An_expired_token_is_410_with_one_to_go_on_inconsistently()
    {
        var path = await TemplatesAsync();
        var first = await api.ReadAsync(path + "?limit=10");
        // What a token of a revision that was compacted away long ago looks like.
        var old = JsonNode.Parse(Base64((string)first["metadata"]!["continue"]!))!;
        old["rv"] = 1;
        var expired = Convert.ToBase64String(Encoding.UTF8.GetBytes(old.ToJsonString())).TrimEnd('=');
        await api.CompactAsync();
        var (code, status) = await api.GetAsync($"{path}?limit=10&continue={expired}");

        Assert.Equal((410, "Expired"), (code, (string?)status["reason"]));
        Assert.Equal(
            "The provided continue parameter is too old to display a consistent list result. You can start a new list without the continue parameter, or use the continue token in "
            + "this response to retrieve the remainder of the results. Continuing with the provided token results in an inconsistent list - objects that were created, modified, "
            + "or deleted between the time the first chunk was returned and now may show up in the list.",
            (string?)status["message"]);
        var token = (string?)status["metadata"]!["continue"];
        Assert.False(string.IsNullOrEmpty(token));

        // The rest is of now, and from there on consistent with itself.
        await api.MakeAsync(path, Template(Name(15) + "-later"));
        var (names, revision) = (first.Items().Select(ApiCalls.Name).ToList(), "");
        while (!string.IsNullOrEmpty(token))
        {
            var page = await api.ReadAsync($"{path}?limit=10&continue={token}");
            if (revision.Length > 0) Assert.Equal(revision, page.Revision());
            (revision, token) = (page.Revision(), (string?)page["metadata"]!["continue"]);
            names.AddRange(page.Items().Select(ApiCalls.Name));
        }

        Assert.NotEqual(first.Revision(), revision);
        Assert.Equal([.. Enumerable.Range(0, 16).Select(Name), Name(15) + "-later", .. Enumerable.Range(16, 24).Select(Name)], names);
    }

    [Fact, Conformance("API metadata HTTP return")]
    public async Task What_has_no_table_is_406()
    {
        var (code, status) = await api.SendAsync(
            HttpMethod.Post, "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews",
            """{"apiVersion":"authorization.k8s.io/v1","kind":"SelfSubjectAccessReview","spec":{"resourceAttributes":{"namespace":"default","verb":"list","version":"v1","resource":"services"}}}""",
            accept: "application/json;as=Table;g=meta.k8s.io;v=v1");

        Assert.Equal((406, "NotAcceptable"), (code, (string?)status["reason"]));
    }

    private static string Name(int i) => $"template-{i:d4}";

    private static string Base64(string token) => Encoding.UTF8.GetString(Convert.FromBase64String(token.Replace('-', '+').Replace('_', '/').PadRight((token.Length + 3) / 4 * 4, '=')));

    private static string Template(string name) => $$$$"""{"metadata":{"name":"{{{{name}}}}"},"template":{"spec":{"containers":[{"name":"test","image":"test2"}]}}}""";

    private async Task<string> TemplatesAsync()
    {
        var path = await api.NamespaceAsync("chunking") + "/podtemplates";
        for (var i = 0; i < Templates; i++) await api.MakeAsync(path, Template(Name(i)));
        return path;
    }
}
