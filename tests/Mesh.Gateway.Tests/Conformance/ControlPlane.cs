using Mesh.Controllers;
using Mesh.Hosting;
using Mesh.Security;
using Mesh.Security.Pki;
using Mesh.Security.Tokens;

namespace Mesh.Gateway.Tests.Conformance;

/// <summary>Store, gateway and controllers in this process: what the rows need that act on objects and not on containers.</summary>
public sealed class ControlPlane : GatewayHost
{
    private readonly string authority = Path.GetTempFileName();

    private protected override void AddMore(MeshHostBuilder builder, StaticTokens known)
    {
        using var certificate = CertificateFactory.CreateAuthority("test", DateTimeOffset.UtcNow, TimeSpan.FromDays(1));
        File.WriteAllText(authority, certificate.ExportCertificatePem());
        builder.Set("controllers", "gateway", "inproc://gateway").Set("controllers", "gateway-token", known.Create(new UserInfo("system:kube-controller-manager", "", [])))
            .Set("controllers", "leader-elect", "false").Set("controllers", "listen", "").Set("controllers", "root-ca-file", authority);
        builder.Add(new ControllersService());
    }

    public override async Task DisposeAsync()
    {
        await base.DisposeAsync();
        File.Delete(authority);
    }
}

[CollectionDefinition("control plane")]
public sealed class ControlPlaneCollection : ICollectionFixture<ControlPlane>;
