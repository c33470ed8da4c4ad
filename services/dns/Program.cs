namespace Mesh.Dns;

internal static class Program
{
    private static int Main()
    {
        Console.Error.WriteLine("Mesh.Dns is not built yet");
        return 1;
    }
}
