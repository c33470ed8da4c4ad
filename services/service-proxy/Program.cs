namespace Mesh.ServiceProxy;

internal static class Program
{
    private static int Main()
    {
        Console.Error.WriteLine("Mesh.ServiceProxy is not built yet");
        return 1;
    }
}
