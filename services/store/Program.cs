namespace Mesh.Store;

internal static class Program
{
    private static int Main()
    {
        Console.Error.WriteLine("Mesh.Store is not built yet");
        return 1;
    }
}
