using Mesh.Hosting;

namespace Mesh.Gateway;

internal static class Program
{
    private static Task<int> Main(string[] args) => MeshHost.RunAsync(args, new GatewayService());
}
