namespace Mesh.NodeAgent;

internal static class Program
{
    private static int Main()
    {
        Console.Error.WriteLine("Mesh.NodeAgent is not built yet");
        return 1;
    }
}
