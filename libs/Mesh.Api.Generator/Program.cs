namespace Mesh.Api.Generator;

internal static class Program
{
    private static int Main()
    {
        Console.Error.WriteLine("Mesh.Api.Generator is not built yet");
        return 1;
    }
}
