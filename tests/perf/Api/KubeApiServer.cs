using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Mesh.Perf.Store;

namespace Mesh.Perf.Api;

/// <summary>
/// The peer: kube-apiserver (a binary built from Debian's source by deploy/scripts/peer.sh) on Debian's etcd, with RBAC and TLS towards the client;
/// etcd is asked without TLS, which favours it.
/// </summary>
internal sealed class KubeApiServer : ApiTarget
{
    public override string Name => "kube-apiserver";

    public override string AllocatedMetric => "go_memstats_alloc_bytes_total";

    /// <param name="program">Path of kube-apiserver.</param>
    /// <param name="directory">Made here, removed at the end.</param>
    /// <param name="ct">Ends the wait.</param>
    public static async Task<KubeApiServer> StartAsync(string program, string directory, CancellationToken ct)
    {
        System.IO.Directory.CreateDirectory(directory);
        string At(string name) => Path.Combine(directory, name);
        var (port, etcd, peer) = (ServerProcess.FreePort(), ServerProcess.FreePort(), ServerProcess.FreePort());
        using var authorityKey = RSA.Create(2048);
        var request = new CertificateRequest("CN=bench-ca", authorityKey, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        var authority = request.CreateSelfSigned(DateTimeOffset.UtcNow.AddHours(-1), DateTimeOffset.UtcNow.AddDays(1));
        var client = Issue(authority, "O=system:masters, CN=admin");
        using var serving = Issue(authority, "CN=kube-apiserver");
        using var accounts = RSA.Create(2048);
        await File.WriteAllTextAsync(At("ca.crt"), authority.ExportCertificatePem(), ct);
        await File.WriteAllTextAsync(At("server.crt"), serving.ExportCertificatePem(), ct);
        await File.WriteAllTextAsync(At("server.key"), serving.GetRSAPrivateKey()!.ExportPkcs8PrivateKeyPem(), ct);
        await File.WriteAllTextAsync(At("accounts.key"), accounts.ExportRSAPrivateKeyPem(), ct);
        var server = new KubeApiServer { Port = port, Directory = directory, Client = client, Authority = authority };
        server.Processes.Add(Launch("/usr/bin/etcd", ["--data-dir", At("etcd"), "--listen-client-urls", $"http://127.0.0.1:{etcd}", "--advertise-client-urls", $"http://127.0.0.1:{etcd}",
            "--listen-peer-urls", $"http://127.0.0.1:{peer}", "--initial-advertise-peer-urls", $"http://127.0.0.1:{peer}", "--initial-cluster", $"default=http://127.0.0.1:{peer}", "--log-level", "error"], quiet: true));
        server.Processes.Add(Launch(program, [$"--etcd-servers=http://127.0.0.1:{etcd}", "--bind-address=127.0.0.1", "--advertise-address=127.0.0.1", $"--secure-port={port}", "--insecure-port=0",
            $"--tls-cert-file={At("server.crt")}", $"--tls-private-key-file={At("server.key")}", $"--client-ca-file={At("ca.crt")}", $"--service-account-key-file={At("accounts.key")}",
            $"--service-account-signing-key-file={At("accounts.key")}", "--service-account-issuer=https://kubernetes.default.svc.cluster.local", "--authorization-mode=Node,RBAC",
            "--enable-admission-plugins=NodeRestriction", "--service-cluster-ip-range=10.96.0.0/16", "--endpoint-reconciler-type=none", "--allow-privileged=true"], quiet: true));
        await server.WaitAsync(ct);
        return server;
    }

    private static X509Certificate2 Issue(X509Certificate2 authority, string subject)
    {
        using var key = RSA.Create(2048);
        var request = new CertificateRequest(subject, key, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
        var names = new SubjectAlternativeNameBuilder();
        names.AddIpAddress(IPAddress.Loopback);
        request.CertificateExtensions.Add(names.Build());
        using var certificate = request.Create(authority, DateTimeOffset.UtcNow.AddHours(-1), authority.NotAfter, RandomNumberGenerator.GetBytes(8));
        return certificate.CopyWithPrivateKey(key);
    }
}
