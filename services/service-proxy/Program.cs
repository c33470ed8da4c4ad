using Mesh.Hosting;

namespace Mesh.ServiceProxy;

internal static class Program
{
    private static Task<int> Main(string[] args) => MeshHost.RunAsync(args, new ServiceProxyService());
}
