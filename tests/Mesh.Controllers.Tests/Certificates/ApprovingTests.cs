using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Mesh.Api.Certificates.V1;
using Mesh.Controllers.Certificates;
using Mesh.Controllers.Tests.Framework;
using Mesh.Security.Pki;
using Xunit;

namespace Mesh.Controllers.Tests.Certificates;

public sealed class ApprovingTests : ControllerTest
{
    [Theory]
    [InlineData("CN=system:node:a, O=system:nodes", "system:node:a", "digital signature,client auth", "selfnodeclient,nodeclient")]
    [InlineData("CN=system:node:a, O=system:nodes", "system:bootstrap:x", "digital signature,key encipherment,client auth", "nodeclient")]
    [InlineData("CN=system:node:a, O=system:nodes", "system:node:a", "client auth", "")]
    [InlineData("CN=system:node:a, O=system:nodes", "system:node:a", "digital signature,client auth,server auth", "")]
    [InlineData("CN=a, O=system:nodes", "a", "digital signature,client auth", "")]
    [InlineData("CN=system:node:a, O=system:masters", "system:node:a", "digital signature,client auth", "")]
    public void Recognizes_what_nodes_ask_for_themselves(string subject, string user, string usages, string recognized)
    {
        var csr = Request(subject, user, [.. usages.Split(',')]);
        Assert.Equal(recognized, string.Join(',', ApprovingDecision.Recognize(csr).Select(static r => r.Subresource)));
    }

    [Fact]
    public void Other_signers_wait_for_a_person()
    {
        var csr = Request("CN=system:node:a, O=system:nodes", "system:node:a", ["digital signature", "client auth"]);
        csr.Spec!.SignerName = "kubernetes.io/kube-apiserver-client";
        Assert.Empty(ApprovingDecision.Recognize(csr));
    }

    [Fact]
    public async Task What_is_done_with_is_cleaned_away()
    {
        var pending = Request("CN=p", "u", ["client auth"], "pending");
        pending.Metadata.CreationTimestamp = Time.Now;
        var denied = Request("CN=d", "u", ["client auth"], "denied");
        denied.Metadata.CreationTimestamp = Time.Now;
        denied.Status = new() { Conditions = [new() { Type = "Denied", Status = "True", LastUpdateTime = Time.Now }] };
        Client.Seed(pending);
        Client.Seed(denied);
        using var c = new CleaningController(Context);
        await StartAsync(c);
        await c.DrainAsync();
        Assert.Equal(2, Client.All<CertificateSigningRequest>().Count);

        Time.Advance(TimeSpan.FromMinutes(61));
        await SettleAsync(() => Client.Find<CertificateSigningRequest>(null, "denied") is null, "denied gone", c);
        Assert.NotNull(Client.Find<CertificateSigningRequest>(null, "pending"));
        Time.Advance(TimeSpan.FromHours(24));
        await SettleAsync(() => Client.Find<CertificateSigningRequest>(null, "pending") is null, "pending gone", c);
    }

    [Fact]
    public void An_expired_certificate_ends_its_request_early()
    {
        var csr = Request("CN=x", "u", ["client auth"]);
        using var authority = CertificateFactory.CreateAuthority("ca", Time.GetUtcNow(), TimeSpan.FromMinutes(20));
        csr.Status = new() { Conditions = [new() { Type = "Approved", Status = "True", LastUpdateTime = Time.Now }], Certificate = Encoding.ASCII.GetBytes(authority.ExportCertificatePem()) };
        Assert.Equal(authority.NotAfter.ToUniversalTime(), CleaningController.Due(csr));
    }

    private static CertificateSigningRequest Request(string subject, string user, List<string> usages, string name = "x")
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var pem = new CertificateRequest(new X500DistinguishedName(subject), key, HashAlgorithmName.SHA256).CreateSigningRequestPem();
        return new CertificateSigningRequest
        {
            Metadata = new() { Name = name },
            Spec = new CertificateSigningRequestSpec { SignerName = "kubernetes.io/kube-apiserver-client-kubelet", Usages = usages, Username = user, Request = Encoding.ASCII.GetBytes(pem) },
        };
    }
}
