using System.Security.Cryptography.X509Certificates;
using Mesh.Hosting;
using Mesh.Rpc;
using Mesh.Security;
using Mesh.Security.Pki;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;

namespace Mesh.NodeAgent.Server;

/// <summary>The agent's own API (10250): TLS, client certificates of the cluster's authority, and only callers that are allowed.</summary>
internal static class NodeServer
{
    public static void Add(MeshServiceBuilder builder, NodeAgentOptions options)
    {
        builder.MapDefaultEndpoints = false;
        builder.Services.AddSingleton<NodeApi>();
        var verifier = options.ClientCaFile.Length > 0 ? new ClientCertificateVerifier(File.ReadAllText(options.ClientCaFile), builder.Time) : null;
        var certificate = Certificate(options, builder.Time);
        var roots = new X509Certificate2Collection();
        if (options.ClientCaFile.Length > 0)
            roots.ImportFromPemFile(options.ClientCaFile);
        builder.Listen(options.Listen, new MeshListenOptions
        {
            Certificate = () => certificate,
            ClientRoots = roots.Count > 0 ? () => roots : null,
        });
        var allowed = options.AllowedClients.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries).ToHashSet();
        builder.UseApp(app =>
        {
            app.UseWebSockets();
            app.Use((context, next) => AuthorizeAsync(context, next, verifier, allowed));
            app.Services.GetRequiredService<NodeApi>().Map(app);
        });
    }

    /// <summary>401 without a certificate of the cluster's authority, 403 for users that are not allowed. Health of the process is for everybody.</summary>
    public static bool MayCall(UserInfo? user, IReadOnlySet<string> allowed) => user is not null && (allowed.Contains(user.Name) || user.Groups.Contains("system:masters"));

    private static Task AuthorizeAsync(HttpContext context, Func<Task> next, ClientCertificateVerifier? verifier, HashSet<string> allowed)
    {
        if (context.Request.Path == "/healthz")
            return next();
        var certificate = context.Connection.ClientCertificate;
        var user = certificate is null ? null : verifier?.Verify(certificate);
        if (MayCall(user, allowed))
            return next();
        context.Response.StatusCode = user is null ? StatusCodes.Status401Unauthorized : StatusCodes.Status403Forbidden;
        var text = user is null
            ? "Unauthorized"
            : $"Forbidden (user={user.Name}, verb={Verb(context.Request.Method)}, resource=nodes, subresource(s)=[proxy])";
        return context.Response.WriteAsync(text);
    }

    private static string Verb(string method) => method switch { "POST" => "create", "PUT" => "update", "PATCH" => "patch", "DELETE" => "delete", _ => "get" };

    private static X509Certificate2 Certificate(NodeAgentOptions options, TimeProvider time)
    {
        if (options.CertFile.Length > 0)
            return PemFiles.Load(new CertificatePath(options.CertFile, options.KeyFile));
        var now = time.GetUtcNow();
        return CertificateFactory.CreateAuthority(options.NodeName, now, TimeSpan.FromDays(365));
    }
}
