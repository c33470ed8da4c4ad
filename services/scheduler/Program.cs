namespace Mesh.Scheduler;

internal static class Program
{
    private static int Main()
    {
        Console.Error.WriteLine("Mesh.Scheduler is not built yet");
        return 1;
    }
}
