using System.Diagnostics;
using System.Net;
using System.Security.Cryptography.X509Certificates;
using Mesh.Security.Pki;

namespace Mesh.Security.Tests.Pki;

public sealed class ClusterPkiTests : IDisposable
{
    private static readonly string[] EverySecret = ["ca.key", "apiserver.key", "sa.key", "etcd/ca.key", "etcd/server.key", "front-proxy-client.key", "kubelet.key"];
    private readonly TemporaryFolder _folder = new();
    private readonly FixedTime _time = new(DateTimeOffset.UtcNow);

    public void Dispose() => _folder.Dispose();

    private PkiOptions Options() => new()
    {
        NodeName = "node-1",
        Addresses = [IPAddress.Parse("192.0.2.7")],
        ExtraNames = ["api.example.org", "198.51.100.4"],
        Time = _time,
    };

    [Fact]
    public void Makes_everything_once()
    {
        var first = ClusterPki.Ensure(_folder.Path, Options());
        Assert.Contains("apiserver.crt", first);
        Assert.Contains("etcd/server.crt", first);
        Assert.Contains("sa.key", first);
        Assert.Equal(12, first.Count);
        Assert.Empty(ClusterPki.Ensure(_folder.Path, Options()));
    }

    [Fact]
    public void Secrets_are_their_owners_only()
    {
        ClusterPki.Ensure(_folder.Path, Options());
        foreach (var secret in EverySecret)
        {
            if (OperatingSystem.IsWindows()) break;
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(Path.Combine(_folder.Path, secret)));
        }
    }

    [Fact]
    public void Serving_certificate_names_every_way_to_the_server()
    {
        ClusterPki.Ensure(_folder.Path, Options());
        using var certificate = PemFiles.Load(new PkiPaths(_folder.Path).ApiServer);
        foreach (var name in new[] { "kubernetes", "kubernetes.default.svc.cluster.local", "localhost", "node-1", "api.example.org" })
        {
            Assert.True(certificate.MatchesHostname(name), name);
        }

        foreach (var address in new[] { "10.96.0.1", "127.0.0.1", "192.0.2.7", "198.51.100.4" }) Assert.True(certificate.MatchesHostname(address), address);
        Assert.False(certificate.MatchesHostname("example.org"));
    }

    [Fact]
    public void Expiring_or_differently_named_certificates_are_renewed_and_no_others()
    {
        ClusterPki.Ensure(_folder.Path, Options());
        var moved = Options() with { Addresses = [IPAddress.Parse("192.0.2.8")] };
        Assert.Equal(["apiserver.crt", "etcd/peer.crt", "etcd/server.crt", "kubelet.crt"], ClusterPki.Ensure(_folder.Path, moved).Order());
        _time.Now += TimeSpan.FromDays(320);
        var renewed = ClusterPki.Ensure(_folder.Path, moved);
        Assert.Equal(8, renewed.Count);
        Assert.DoesNotContain("ca.crt", renewed);
    }

    [Fact]
    public void A_torn_certificate_is_made_anew()
    {
        ClusterPki.Ensure(_folder.Path, Options());
        File.WriteAllText(Path.Combine(_folder.Path, "apiserver.crt"), "-----BEGIN CERT");
        Assert.Equal(["apiserver.crt"], ClusterPki.Ensure(_folder.Path, Options()));
    }

    [Fact]
    public void An_authority_without_its_key_is_refused()
    {
        ClusterPki.Ensure(_folder.Path, Options());
        File.Delete(Path.Combine(_folder.Path, "ca.key"));
        Assert.Contains("ca.key does not", Assert.Throws<InvalidOperationException>(() => ClusterPki.Ensure(_folder.Path, Options())).Message);
    }

    [Fact]
    public void Kubeconfigs_carry_each_component_to_the_server_by_its_name()
    {
        var pki = Path.Combine(_folder.Path, "pki");
        ClusterPki.Ensure(pki, Options());
        Assert.Equal(7, ClusterKubeConfigs.Ensure(_folder.Path, pki, Options()).Count);
        Assert.Empty(ClusterKubeConfigs.Ensure(_folder.Path, pki, Options()));
        Assert.Equal(7, ClusterKubeConfigs.Ensure(_folder.Path, pki, Options() with { ServerUrl = "https://192.0.2.7:6443" }).Count);

        using var verifier = new ClientCertificateVerifier(File.ReadAllText(Path.Combine(pki, "ca.crt")), _time);
        foreach (var (file, client) in ClusterKubeConfigs.All("node-1"))
        {
            var config = KubeConfig.Load(Path.Combine(_folder.Path, file));
            Assert.Equal("https://192.0.2.7:6443", config.Server);
            using var certificate = config.ClientCertificate();
            Assert.NotNull(certificate);
            var user = verifier.Verify(certificate);
            Assert.NotNull(user);
            Assert.Equal(client.CommonName, user.Name);
            Assert.Equal(client.Organizations, user.Groups);
        }
    }

    [Fact]
    public void Verifier_refuses_foreign_expired_and_server_certificates()
    {
        ClusterPki.Ensure(_folder.Path, Options());
        var paths = new PkiPaths(_folder.Path);
        using var ca = PemFiles.Load(paths.Ca);
        using var verifier = new ClientCertificateVerifier(ca.ExportCertificatePem(), _time);
        using var foreignCa = CertificateFactory.CreateAuthority("kubernetes", _time.Now, TimeSpan.FromDays(10));
        using var foreign = CertificateFactory.Create(foreignCa, CertificateRequestSpec.ForClient("a", UserNames.Masters), _time.Now, TimeSpan.FromDays(1));
        using var server = PemFiles.Load(paths.ApiServer);
        using var client = CertificateFactory.Create(ca, CertificateRequestSpec.ForClient("a", "g1", "g2"), _time.Now, TimeSpan.FromDays(1));
        Assert.Null(verifier.Verify(foreign));
        Assert.Null(verifier.Verify(server));
        Assert.Equal(["g1", "g2"], verifier.Verify(client)!.Groups);
        _time.Now += TimeSpan.FromDays(2);
        Assert.Null(verifier.Verify(client));
    }

    [Fact]
    public void A_request_of_somebody_else_can_be_signed()
    {
        using var ca = CertificateFactory.CreateAuthority("kubernetes", _time.Now, TimeSpan.FromDays(10));
        using var key = System.Security.Cryptography.ECDsa.Create(System.Security.Cryptography.ECCurve.NamedCurves.nistP256);
        using var signed = CertificateFactory.Sign(ca, new PublicKey(key), CertificateRequestSpec.ForClient("system:node:n", UserNames.Nodes), _time.Now, TimeSpan.FromDays(1));
        using var verifier = new ClientCertificateVerifier(ca.ExportCertificatePem(), _time);
        Assert.Equal("n", UserNames.NodeOf(verifier.Verify(signed)!));
    }

    [Fact]
    public void Takes_well_under_a_second()
    {
        var watch = Stopwatch.StartNew();
        ClusterPki.Ensure(Path.Combine(_folder.Path, "pki"), Options());
        ClusterKubeConfigs.Ensure(_folder.Path, Path.Combine(_folder.Path, "pki"), Options());
        Console.WriteLine($"whole PKI: {watch.Elapsed.TotalMilliseconds:F0} ms");
        Assert.True(watch.Elapsed < TimeSpan.FromSeconds(5), watch.Elapsed.ToString());
    }
}
