using Mesh.Hosting;

namespace Mesh.Scheduler;

internal static class Program
{
    private static Task<int> Main(string[] args) => MeshHost.RunAsync(args, new SchedulerService());
}
