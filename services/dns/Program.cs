using Mesh.Hosting;

namespace Mesh.Dns;

internal static class Program
{
    private static Task<int> Main(string[] args) => MeshHost.RunAsync(args, new DnsService());
}
