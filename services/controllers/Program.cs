using Mesh.Hosting;

namespace Mesh.Controllers;

internal static class Program
{
    private static Task<int> Main(string[] args) => MeshHost.RunAsync(args, new ControllersService());
}
