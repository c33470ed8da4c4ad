using System.Net.Http.Json;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json.Nodes;
using Mesh.Gateway.Tests.Conformance;

namespace Mesh.Gateway.Tests.Admission;

/// <summary>Deciding about certificates needs the verb for the signer, beside the right to write the request.</summary>
[Collection("gateway")]
public sealed class CertificateAdmissionTests(GatewayHost gateway)
{
    private const string Path = "/apis/certificates.k8s.io/v1/certificatesigningrequests";

    [Fact]
    public async Task Approving_and_signing_need_the_signers_verbs()
    {
        await gateway.MakeAsync(Path, Request("admitted", "example.com/mine", "CN=x"));
        await AllowAsync("approver", """{"verbs":["update","patch"],"apiGroups":["certificates.k8s.io"],"resources":["certificatesigningrequests/approval","certificatesigningrequests/status"]}""");
        using var user = gateway.ClientOf("approver");
        const string Approval = """{"status":{"conditions":[{"type":"Approved","status":"True","reason":"r","message":"m"}]}}""";
        const string Failure = """{"status":{"conditions":[{"type":"Failed","status":"True","reason":"r","message":"m"}]}}""";
        JsonNode? approved = null;
        // What was approved stays so, word for word.
        string Failed() => new JsonObject { ["status"] = new JsonObject { ["conditions"] = new JsonArray(approved!.DeepClone(), JsonNode.Parse(Failure)!["status"]!["conditions"]![0]!.DeepClone()) } }.ToJsonString();

        var refused = await PatchAsync(user, "approval", Approval);
        Assert.Equal((403, "certificatesigningrequests.certificates.k8s.io \"admitted\" is forbidden: user not permitted to approve requests with signerName \"example.com/mine\""), refused);
        Assert.Equal((403, "certificatesigningrequests.certificates.k8s.io \"admitted\" is forbidden: user not permitted to sign requests with signerName \"example.com/mine\""), await PatchAsync(user, "status", Failure));

        // All signers of the domain.
        await AllowAsync("approver-signers", """{"verbs":["approve"],"apiGroups":["certificates.k8s.io"],"resources":["signers"],"resourceNames":["example.com/*"]}""", "approver");
        await UntilAsync(async () => (await PatchAsync(user, "approval", Approval)).Code == 200);
        approved = (await gateway.ReadAsync(Path + "/admitted"))["status"]!["conditions"]![0];
        Assert.Equal(403, (await PatchAsync(user, "status", Failed())).Code);
        await AllowAsync("approver-signs", """{"verbs":["sign"],"apiGroups":["certificates.k8s.io"],"resources":["signers"],"resourceNames":["example.com/mine"]}""", "approver");
        await UntilAsync(async () => (await PatchAsync(user, "status", Failed())).Code == 200);
    }

    [Fact]
    public async Task Nobody_asks_for_masters()
    {
        Assert.Equal(
            "certificatesigningrequests.certificates.k8s.io \"masters\" is forbidden: use of kubernetes.io/kube-apiserver-client signer with system:masters group is not allowed",
            await gateway.RefusedAsync(403, Path, Request("masters", "kubernetes.io/kube-apiserver-client", "CN=x, O=system:masters")));
        await gateway.MakeAsync(Path, Request("no-masters", "kubernetes.io/kube-apiserver-client", "CN=x, O=devs"));
    }

    private static string Request(string name, string signer, string subject)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var pem = new CertificateRequest(subject, key, HashAlgorithmName.SHA256).CreateSigningRequestPem();
        return new JsonObject
        {
            ["metadata"] = new JsonObject { ["name"] = name },
            ["spec"] = new JsonObject { ["signerName"] = signer, ["usages"] = new JsonArray("client auth"), ["request"] = Convert.ToBase64String(Encoding.ASCII.GetBytes(pem)) },
        }.ToJsonString();
    }

    private static async Task<(int Code, string? Message)> PatchAsync(HttpClient user, string part, string patch)
    {
        using var body = new StringContent(patch, Encoding.UTF8, "application/merge-patch+json");
        using var answer = await user.PatchAsync(new Uri($"{Path}/admitted/{part}", UriKind.Relative), body);
        return ((int)answer.StatusCode, (string?)(await answer.Content.ReadFromJsonAsync<JsonObject>())!["message"]);
    }

    private async Task AllowAsync(string name, string rule, string? user = null)
    {
        const string Rbac = "/apis/rbac.authorization.k8s.io/v1/";
        await gateway.MakeAsync(Rbac + "clusterroles", $$$$"""{"metadata":{"name":"{{{{name}}}}"},"rules":[{{{{rule}}}}]}""");
        await gateway.MakeAsync(Rbac + "clusterrolebindings", $$$$"""
            {"metadata":{"name":"{{{{name}}}}"},"roleRef":{"apiGroup":"rbac.authorization.k8s.io","kind":"ClusterRole","name":"{{{{name}}}}"},"subjects":[{"apiGroup":"rbac.authorization.k8s.io","kind":"User","name":"{{{{user ?? name}}}}"}]}
            """);
        if (user is not null) return;
        using var client = gateway.ClientOf(name);
        await UntilAsync(async () => !((await PatchAsync(client, "approval", "{}")).Message ?? "").Contains("cannot patch", StringComparison.Ordinal));
    }

    private static async Task UntilAsync(Func<Task<bool>> holds)
    {
        for (var end = DateTime.UtcNow.AddSeconds(60); !await holds(); await Task.Delay(20)) Assert.True(DateTime.UtcNow < end, "never held");
    }
}
