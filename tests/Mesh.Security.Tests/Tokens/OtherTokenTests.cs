using Mesh.Security.Tokens;

namespace Mesh.Security.Tests.Tokens;

public sealed class OtherTokenTests
{
    private static readonly DateTimeOffset Now = DateTimeOffset.Parse("2026-11-21T12:00:00Z");

    [Theory]
    [InlineData("abcdef.0123456789abcdef", true)]
    [InlineData("abcdef.0123456789abcde", false)]
    [InlineData("Abcdef.0123456789abcdef", false)]
    [InlineData("abcdef-0123456789abcdef", false)]
    [InlineData("abcdef.0123456789abcdef\n", false)]
    [InlineData("", false)]
    [InlineData(null, false)]
    public void Bootstrap_format(string? text, bool good) => Assert.Equal(good, BootstrapToken.TryParse(text, out _));

    [Fact]
    public void A_new_bootstrap_token_has_the_format()
    {
        var token = BootstrapToken.Create();
        Assert.True(BootstrapToken.TryParse(token.ToString(), out var parsed));
        Assert.Equal(token, parsed);
    }

    [Theory]
    [InlineData("", "", null)]
    [InlineData("type", "Opaque", "secret has another type")]
    [InlineData("token-id", "other", "token-id does not match")]
    [InlineData("token-secret", "other", "token-secret does not match")]
    [InlineData("expiration", "2026-11-21T11:59:59Z", "expired")]
    [InlineData("expiration", "2026-11-21T12:00:01Z", null)]
    [InlineData("expiration", "soon", "expired")]
    [InlineData("usage-bootstrap-authentication", "false", "not usable for authentication")]
    [InlineData("auth-extra-groups", "system:masters", "invalid group system:masters")]
    public void Bootstrap_secret(string key, string value, string? why)
    {
        Assert.True(BootstrapToken.TryParse("abcdef.0123456789abcdef", out var token));
        var data = new Dictionary<string, string>
        {
            ["token-id"] = "abcdef",
            ["token-secret"] = "0123456789abcdef",
            ["usage-bootstrap-authentication"] = "true",
            ["auth-extra-groups"] = "system:bootstrappers:kubeadm:default-node-token",
        };
        if (key.Length > 0 && key != "type") data[key] = value;
        Assert.Equal(why, token.WhyRefused(key == "type" ? value : BootstrapToken.SecretType, data, Now, out var groups));
        if (why is null) Assert.Equal(["system:bootstrappers", "system:bootstrappers:kubeadm:default-node-token"], groups);
    }

    [Fact]
    public void Token_file()
    {
        var tokens = StaticTokens.Parse("t1,alice,1,\"dev,ops\"\n\nt2,bob,2\r\n");
        Assert.Equal(["dev", "ops"], tokens.Find("t1")!.Groups);
        Assert.Equal("bob", tokens.Find("t2")!.Name);
        Assert.Null(tokens.Find("t3"));
        Assert.Contains("line 2", Assert.Throws<InvalidDataException>(() => StaticTokens.Parse("a,b,c\nx,y")).Message);
    }

    [Fact]
    public void Tokens_made_for_services_of_this_process()
    {
        var tokens = new StaticTokens();
        var token = tokens.Create(new UserInfo("system:kube-scheduler", "", []));
        Assert.Equal("system:kube-scheduler", tokens.Find(token)!.Name);
    }

    [Theory]
    [InlineData("system:serviceaccount:ns:name", true, "ns", "name")]
    [InlineData("system:serviceaccount:ns:", false, "", "")]
    [InlineData("system:serviceaccount::name", false, "", "")]
    [InlineData("system:serviceaccount:a:b:c", false, "", "")]
    [InlineData("alice", false, "", "")]
    public void Service_account_names(string user, bool good, string ns, string name)
    {
        Assert.Equal(good, UserNames.TrySplitServiceAccount(user, out var foundNs, out var foundName));
        Assert.Equal((ns, name), (foundNs, foundName));
    }
}
