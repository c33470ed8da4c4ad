using Mesh.Api.Schema.Text;

namespace Mesh.Api.Generator;

/// <summary>
/// Writes the typed C# classes of Mesh.Api from its schema files. Run by the build: `Mesh.Api.Generator SCHEMA_DIR OUTPUT_DIR`.
/// </summary>
internal static class Program
{
    private static int Main(string[] args)
    {
        if (args.Length != 2)
        {
            Console.Error.WriteLine("usage: Mesh.Api.Generator SCHEMA_DIR OUTPUT_DIR");
            return 2;
        }

        try
        {
            Generate(args[0], args[1]);
            return 0;
        }
        catch (FormatException e)
        {
            // The form MSBuild shows as an error of the build.
            Console.Error.WriteLine($"schema : error MESH001: {e.Message}");
            return 1;
        }
    }

    private static void Generate(string input, string output)
    {
        var documents = new List<SchemaDocument>();
        foreach (var file in Directory.GetFiles(input, "*.schema").Order(StringComparer.Ordinal))
        {
            try
            {
                documents.Add(SchemaTextParser.Parse(File.ReadAllText(file)));
            }
            catch (FormatException e)
            {
                throw new FormatException($"{file}: {e.Message}", e);
            }
        }

        Directory.CreateDirectory(output);
        foreach (var old in Directory.GetFiles(output, "*.g.cs"))
            File.Delete(old);
        var universe = new Universe(documents);
        foreach (var document in universe.Typed)
            File.WriteAllText(Path.Combine(output, document.Package + ".g.cs"), new ClassEmitter(universe, document).Emit());
        File.WriteAllText(Path.Combine(output, "ResourceTable.g.cs"), ResourceEmitter.Emit(universe));
        File.WriteAllText(Path.Combine(output, "SchemaIndex.g.cs"), ResourceEmitter.EmitIndex(universe));
    }
}
