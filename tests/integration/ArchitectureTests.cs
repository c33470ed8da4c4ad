using System.Text.RegularExpressions;
using System.Xml.Linq;

namespace Mesh.Integration.Tests;

/// <summary>The dependency rules of ARCHITECTURE: services → libs → Mesh.Api, and never sideways between services.</summary>
public class ArchitectureTests
{
    private static readonly string Root = FindRoot();

    [Fact]
    public void AServiceNeverReferencesAnother()
    {
        foreach (var project in Projects("services"))
        {
            // Standalone is the composition: it puts all of them into one process, and is referenced by none.
            var others = References(project).Where(r => r.Contains("/services/")).ToList();
            if (Path.GetFileName(project) == "Mesh.Standalone.csproj")
                Assert.NotEmpty(others);
            else
                Assert.Empty(others);
        }
    }

    [Fact]
    public void ALibraryKnowsNothingOfTheServices()
    {
        foreach (var project in Projects("libs"))
            Assert.DoesNotContain(References(project), r => r.Contains("/services/") || r.Contains("/tests/"));
    }

    [Fact]
    public void TheApiStandsOnNothingOfOurs()
    {
        var references = References(Path.Combine(Root, "libs/Mesh.Api/Mesh.Api.csproj")).Select(Path.GetFileNameWithoutExtension).ToList();
        Assert.Empty(references.Except(["Mesh.Api.Generator"]));
    }

    [Fact]
    public void EveryProjectIsInTheSolution()
    {
        var solution = File.ReadAllText(Path.Combine(Root, "Mesh.sln"));
        foreach (var project in Projects("libs").Concat(Projects("services")).Concat(Projects("tests")))
            Assert.Contains(Path.GetFileName(project), solution);
    }

    [Fact]
    public void EveryServicesProgramIsTwentyLines()
    {
        foreach (var program in Directory.GetDirectories(Path.Combine(Root, "services")).Select(d => Path.Combine(d, "Program.cs")).Where(p => !p.Contains("/standalone/")))
        {
            Assert.True(File.Exists(program), program);
            Assert.InRange(File.ReadAllLines(program).Length, 1, 25);
        }
    }

    [Fact]
    public void EveryServiceHasADockerfile()
    {
        foreach (var service in Directory.GetDirectories(Path.Combine(Root, "services")).Select(Path.GetFileName))
            Assert.True(File.Exists(Path.Combine(Root, "deploy/docker", service + ".Dockerfile")), $"deploy/docker/{service}.Dockerfile");
    }

    [Fact]
    public void SourceFilesStayReadable()
    {
        var tooLong = Directory.EnumerateFiles(Root, "*.cs", SearchOption.AllDirectories)
            .Where(f => !Regex.IsMatch(f, "/(artifacts|bin|obj)/|\\.g\\.cs$"))
            .Select(f => (File: Path.GetRelativePath(Root, f), Lines: File.ReadLines(f).Count()))
            .Where(f => f.Lines > 600)
            .ToList();
        Assert.Empty(tooLong);
    }

    private static IEnumerable<string> Projects(string folder) =>
        Directory.EnumerateFiles(Path.Combine(Root, folder), "*.csproj", SearchOption.AllDirectories).Where(p => !Regex.IsMatch(p, "/(artifacts|bin|obj)/"));

    private static List<string> References(string project) =>
        [.. XDocument.Load(project).Descendants("ProjectReference").Select(r => Path.GetFullPath(Path.Combine(Path.GetDirectoryName(project)!, r.Attribute("Include")!.Value)))];

    private static string FindRoot()
    {
        var at = AppContext.BaseDirectory;
        while (!File.Exists(Path.Combine(at, "Mesh.sln")))
            at = Path.GetDirectoryName(at) ?? throw new InvalidOperationException("no Mesh.sln above " + AppContext.BaseDirectory);
        return at;
    }
}
