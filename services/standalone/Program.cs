namespace Mesh.Standalone;

internal static class Program
{
    private static int Main()
    {
        Console.Error.WriteLine("Mesh.Standalone is not built yet");
        return 1;
    }
}
