using Mesh.Hosting;

namespace Mesh.Store;

internal static class Program
{
    private static Task<int> Main(string[] args) => MeshHost.RunAsync(args, new StoreService());
}
