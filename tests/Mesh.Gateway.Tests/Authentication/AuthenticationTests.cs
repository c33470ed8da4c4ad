using System.Text.Json.Nodes;
using Mesh.Api;
using Mesh.Caching;
using Mesh.Gateway.Authentication;
using Mesh.Gateway.Authorization;
using Mesh.Gateway.Tests.Admission;
using Mesh.Security;
using Mesh.Security.Pki;
using Mesh.Security.Tokens;
using Xunit;

namespace Mesh.Gateway.Tests.Authentication;

public sealed class AuthenticationTests : IDisposable
{
    private const string Issuer = "https://kubernetes.default.svc.cluster.local";
    private readonly SigningKey _key = SigningKey.Create();
    private readonly MemoryObjects _objects = new();
    private readonly RbacAuthorizer _rbac;
    private readonly StaticTokens _static = new();
    private readonly AuthenticatorChain _chain;
    private readonly TokenRequests _requests;

    public AuthenticationTests()
    {
        var cache = new MemoryCache(TimeProvider.System);
        _rbac = new RbacAuthorizer(_objects, new SharedDecisions(cache, TimeProvider.System));
        var verifier = new SharedTokenVerifier(new ServiceAccountTokenVerifier(Issuer, [_key], TimeProvider.System), _key, cache, TimeProvider.System);
        _chain = new AuthenticatorChain(
            null,
            [
                new StaticTokenAuthenticator(_static), new ServiceAccountAuthenticator(verifier, [Issuer], _objects, TimeProvider.System),
                new BootstrapTokenAuthenticator(_objects, TimeProvider.System),
            ],
            anonymous: true);
        _requests = new TokenRequests(new ServiceAccountTokenIssuer(Issuer, _key, TimeProvider.System), [Issuer], verifier, _chain, _objects, TimeProvider.System);
        _objects.Add(RbacResources.ServiceAccounts, """{"metadata":{"name":"a","namespace":"ns","uid":"u1"}}""");
        _objects.Add(RbacResources.Pods, """{"metadata":{"name":"p","namespace":"ns","uid":"u2"},"spec":{"serviceAccountName":"a","nodeName":"n"}}""");
        _objects.Add(RbacResources.Nodes, """{"metadata":{"name":"n","uid":"u3"}}""");
        _objects.Add(RbacResources.Secrets, """
            {"metadata":{"name":"bootstrap-token-abcdef","namespace":"kube-system"},"type":"bootstrap.kubernetes.io/token",
             "data":{"token-id":"YWJjZGVm","token-secret":"MDEyMzQ1Njc4OWFiY2RlZg==","usage-bootstrap-authentication":"dHJ1ZQ=="}}
            """);
    }

    public void Dispose()
    {
        _rbac.Dispose();
        _key.Dispose();
    }

    private ValueTask<UserInfo?> Show(string? token) => _chain.AuthenticateAsync(new Credentials(token, null, static _ => null), default);

    private async Task<string> Issue(string spec) =>
        (await _requests.IssueAsync("ns", "a", JsonNode.Parse($$"""{"spec":{{spec}}}""")!.AsObject(), default)).Text("status", "token");

    [Fact]
    public async Task No_credentials_are_anonymous_and_bad_ones_nobody()
    {
        Assert.Equal("system:anonymous", (await Show(null))!.Name);
        Assert.Null(await Show("nonsense"));
        Assert.Equal("system:bootstrap:abcdef", (await Show("abcdef.0123456789abcdef"))!.Name);
        Assert.Null(await Show("abcdef.0123456789abcdeX"));
        var known = (await Show(_static.Create(new UserInfo("svc", "", ["g"]))))!;
        Assert.Equal(["g", "system:authenticated"], known.Groups);
    }

    [Fact]
    public async Task One_certificate_is_one_user()
    {
        using var ca = CertificateFactory.CreateAuthority("ca", DateTimeOffset.UtcNow, TimeSpan.FromDays(2));
        using var verifier = new ClientCertificateVerifier(ca.ExportCertificatePem(), TimeProvider.System);
        using var client = CertificateFactory.Create(ca, CertificateRequestSpec.ForClient("bob", "ops"), DateTimeOffset.UtcNow, TimeSpan.FromDays(1));
        var chain = new AuthenticatorChain(verifier, [], anonymous: false);
        var credentials = new Credentials(null, client, static _ => null);
        var first = await chain.AuthenticateAsync(credentials, default);
        Assert.Equal(["ops", "system:authenticated"], first!.Groups);
        Assert.Same(first, await chain.AuthenticateAsync(credentials, default));
        Assert.Null(await chain.AuthenticateAsync(new Credentials(null, null, static _ => null), default));
    }

    [Fact]
    public async Task A_token_dies_with_its_pod()
    {
        var token = await Issue("""{"boundObjectRef":{"apiVersion":"v1","kind":"Pod","name":"p"}}""");
        var user = (await Show(token))!;
        Assert.Equal("system:serviceaccount:ns:a", user.Name);
        Assert.Equal(["n"], user.Extra!["authentication.kubernetes.io/node-name"]);
        await _objects.DeleteAsync(RbacResources.Pods, "ns", "p", default);
        Assert.Null(await Show(token));
    }

    [Fact]
    public async Task A_token_dies_with_its_account_even_when_the_name_comes_back()
    {
        var token = await Issue("{}");
        Assert.NotNull(await Show(token));
        _objects.Add(RbacResources.ServiceAccounts, """{"metadata":{"name":"a","namespace":"ns","uid":"other"}}""");
        Assert.Null(await Show(token));
    }

    [Theory]
    [InlineData("""{"expirationSeconds":599}""", "TokenRequest.authentication.k8s.io \"\" is invalid: spec.expirationSeconds: Invalid value: 599: may not specify a duration less than 10 minutes")]
    [InlineData("""{"boundObjectRef":{"apiVersion":"v1","kind":"Pod","name":"gone"}}""", "pods \"gone\" not found")]
    [InlineData("""{"boundObjectRef":{"apiVersion":"v1","kind":"Service","name":"s"}}""", "cannot bind token to object of type /v1, Kind=Service")]
    [InlineData("""{"boundObjectRef":{"apiVersion":"v1","kind":"Pod","name":"p","uid":"wrong"}}""", "the UID in the bound object reference (wrong) does not match the UID in record")]
    public async Task Token_requests_refused(string spec, string why) => Assert.Contains(why, (await Assert.ThrowsAsync<ApiException>(() => Issue(spec))).Message);

    [Fact]
    public async Task Reviews_say_whose_token_it_is()
    {
        var token = await Issue("""{"audiences":["vault"]}""");
        Assert.Null(await Show(token));
        async Task<JsonObject> Review(string spec) => await _requests.ReviewAsync(JsonNode.Parse($$"""{"spec":{{spec}}}""")!.AsObject(), default);
        var good = await Review($$"""{"token":"{{token}}","audiences":["vault"]}""");
        Assert.True(good.Flag("status", "authenticated"));
        Assert.Equal("system:serviceaccount:ns:a", good.Text("status", "user", "username"));
        var bad = await Review($$"""{"token":"{{token}}"}""");
        Assert.Null(bad.Flag("status", "authenticated"));
        Assert.Contains("invalid bearer token", bad.Text("status", "error"));
        Assert.Equal("alice", _requests.WhoAmI([], new UserInfo("alice", "", [])).Text("status", "userInfo", "username"));
    }

    [Fact]
    public async Task Impersonation_needs_the_right()
    {
        _objects.Add(RbacResources.ClusterRoles, """
            {"kind":"ClusterRole","metadata":{"name":"imp"},"rules":[{"apiGroups":[""],"resources":["users"],"resourceNames":["bob"],"verbs":["impersonate"]},
             {"apiGroups":[""],"resources":["groups"],"verbs":["impersonate"]}]}
            """);
        _objects.Add(RbacResources.ClusterRoleBindings, """{"kind":"ClusterRoleBinding","metadata":{"name":"i"},"roleRef":{"kind":"ClusterRole","name":"imp"},"subjects":[{"kind":"User","name":"alice"}]}""");
        async Task<UserInfo> As(string requester, params (string, string)[] headers) => await Impersonation.ApplyAsync(
            new UserInfo(requester, "", []), headers.Select(h => new KeyValuePair<string, IReadOnlyList<string>>(h.Item1, [h.Item2])), _rbac, default);
        Assert.Equal("alice", (await As("alice", ("Accept", "x"))).Name);
        Assert.Equal(["dev", "system:authenticated"], (await As("alice", ("Impersonate-User", "bob"), ("Impersonate-Group", "dev"))).Groups);
        var refused = await Assert.ThrowsAsync<ApiException>(() => As("alice", ("Impersonate-User", "carol")));
        Assert.Equal("users \"carol\" is forbidden: User \"alice\" cannot impersonate resource \"users\" in API group \"\" at the cluster scope", refused.Message);
        Assert.Equal(400, (await Assert.ThrowsAsync<ApiException>(() => As("alice", ("Impersonate-Group", "dev")))).Code);
        Assert.Equal(403, (await Assert.ThrowsAsync<ApiException>(() => As("alice", ("Impersonate-User", "system:serviceaccount:ns:a")))).Code);
    }
}
