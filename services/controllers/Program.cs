namespace Mesh.Controllers;

internal static class Program
{
    private static int Main()
    {
        Console.Error.WriteLine("Mesh.Controllers is not built yet");
        return 1;
    }
}
