using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json.Nodes;

namespace Mesh.Gateway.Tests.Conformance;

/// <summary>A node that may renew its own certificate needs nobody's word for it.</summary>
[Collection("control plane")]
public sealed class NodeCertificates(ControlPlane api)
{
    [Fact]
    public async Task A_nodes_own_request_is_approved_when_it_may_ask()
    {
        await api.MakeAsync("/apis/rbac.authorization.k8s.io/v1/clusterrolebindings", """
            {"metadata":{"name":"renew"},"roleRef":{"apiGroup":"rbac.authorization.k8s.io","kind":"ClusterRole","name":"system:certificates.k8s.io:certificatesigningrequests:selfnodeclient"},
             "subjects":[{"apiGroup":"rbac.authorization.k8s.io","kind":"Group","name":"system:nodes"}]}
            """);
        using var node = api.ClientOf("system:node:n1", "system:nodes");
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var pem = new CertificateRequest("O=system:nodes, CN=system:node:n1", key, HashAlgorithmName.SHA256).CreateSigningRequestPem();
        var request = new JsonObject
        {
            ["metadata"] = new JsonObject { ["name"] = "renewal" },
            ["spec"] = new JsonObject
            {
                ["signerName"] = "kubernetes.io/kube-apiserver-client-kubelet",
                ["usages"] = new JsonArray("digital signature", "client auth"),
                ["request"] = Convert.ToBase64String(Encoding.ASCII.GetBytes(pem)),
            },
        };
        const string Path = "/apis/certificates.k8s.io/v1/certificatesigningrequests";
        using var body = new StringContent(request.ToJsonString(), Encoding.UTF8, "application/json");
        using var made = await node.PostAsync(new Uri(Path, UriKind.Relative), body);
        Assert.True((int)made.StatusCode == 201, await made.Content.ReadAsStringAsync());

        var approved = await api.UntilAsync(Path + "/renewal", static o => o["status"]?["conditions"] is JsonArray { Count: > 0 });
        var condition = approved["status"]!["conditions"]![0]!;
        Assert.Equal(("Approved", "True", "AutoApproved"), ((string?)condition["type"], (string?)condition["status"], (string?)condition["reason"]));
        Assert.Equal("Auto approving self kubelet client certificate after SubjectAccessReview.", (string?)condition["message"]);
    }
}
