namespace Mesh.Perf;

internal static class Program
{
    private static int Main()
    {
        Console.Error.WriteLine("Mesh.Perf is not built yet");
        return 1;
    }
}
