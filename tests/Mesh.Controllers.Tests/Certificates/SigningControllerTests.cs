using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Mesh.Api.Certificates.V1;
using Mesh.Controllers.Certificates;
using Mesh.Controllers.Tests.Framework;
using Mesh.Security.Pki;
using Xunit;

namespace Mesh.Controllers.Tests.Certificates;

public sealed class SigningControllerTests : ControllerTest
{
    [Fact]
    public async Task Signs_when_approved_and_not_before()
    {
        Client.Seed(Request("kubernetes.io/kube-apiserver-client", "CN=zed, O=devs, O=ops", ["client auth"], 3600));
        using var c = new SigningController(Context, CertificateFactory.CreateAuthority("ca", Time.GetUtcNow(), TimeSpan.FromDays(10)));
        await StartAsync(c);
        await c.DrainAsync();
        Assert.Null(Now.Status?.Certificate);

        Approve();
        await SettleAsync(() => Now.Status?.Certificate is { Length: > 0 }, "issued", c);
        using var issued = X509Certificate2.CreateFromPem(Encoding.ASCII.GetString(Now.Status!.Certificate!));
        Assert.Contains("CN=zed", issued.Subject, StringComparison.Ordinal);
        Assert.Contains("O=devs", issued.Subject, StringComparison.Ordinal);
        Assert.Contains("O=ops", issued.Subject, StringComparison.Ordinal);
        Assert.Equal(Time.Now.AddHours(1), issued.NotAfter.ToUniversalTime());
    }

    [Theory]
    [InlineData("kubernetes.io/kube-apiserver-client", "CN=zed", "server auth", "usages did not match [digital signature, key encipherment, client auth]")]
    [InlineData("kubernetes.io/kube-apiserver-client-kubelet", "CN=zed, O=system:nodes", "client auth", "subject common name does not begin with system:node:")]
    [InlineData("kubernetes.io/kube-apiserver-client-kubelet", "CN=system:node:n, O=devs", "client auth", "subject organization is not system:nodes")]
    [InlineData("kubernetes.io/kubelet-serving", "CN=system:node:n, O=system:nodes", "server auth", "DNS or IP subjectAltName is required")]
    public async Task Refuses_what_the_signer_does_not_sign(string signer, string subject, string usage, string why)
    {
        Client.Seed(Request(signer, subject, [usage], null));
        Approve();
        using var c = new SigningController(Context, CertificateFactory.CreateAuthority("ca", Time.GetUtcNow(), TimeSpan.FromDays(10)));
        await StartAsync(c);
        await SettleAsync(() => Now.Status!.Conditions!.Exists(x => x.Type == "Failed"), "failed", c);
        Assert.Equal(("SignerValidationFailure", why), (Now.Status!.Conditions![^1].Reason, Now.Status.Conditions[^1].Message));
        Assert.Null(Now.Status.Certificate);
    }

    [Fact]
    public void Leaves_requests_for_other_signers_alone()
    {
        var other = Request("example.com/mine", "CN=zed", ["client auth"], null);
        other.Status = new CertificateSigningRequestStatus { Conditions = [new CertificateSigningRequestCondition { Type = "Approved", Status = "True" }] };
        Assert.False(SigningDecision.IsDue(other));
    }

    private CertificateSigningRequest Now => Client.Find<CertificateSigningRequest>(null, "zed")!;

    private void Approve()
    {
        var csr = Now;
        csr.Status = new CertificateSigningRequestStatus { Conditions = [new CertificateSigningRequestCondition { Type = "Approved", Status = "True", Reason = "KubectlApprove" }] };
        Client.Seed(csr);
    }

    private static CertificateSigningRequest Request(string signer, string subject, List<string> usages, int? seconds)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var pem = new CertificateRequest(new X500DistinguishedName(subject), key, HashAlgorithmName.SHA256).CreateSigningRequestPem();
        return new CertificateSigningRequest
        {
            Metadata = new() { Name = "zed" },
            Spec = new CertificateSigningRequestSpec { SignerName = signer, Usages = usages, ExpirationSeconds = seconds, Request = Encoding.ASCII.GetBytes(pem) },
        };
    }
}
