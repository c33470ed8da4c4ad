namespace Mesh.Gateway;

internal static class Program
{
    private static int Main()
    {
        Console.Error.WriteLine("Mesh.Gateway is not built yet");
        return 1;
    }
}
