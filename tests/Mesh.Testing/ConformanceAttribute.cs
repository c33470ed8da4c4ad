using Xunit.Abstractions;
using Xunit.Sdk;

namespace Mesh.Testing;

/// <summary>
/// The test does what a row of Kubernetes' conformance suite does. <c>dotnet test --filter Conformance="watch-configmaps-label-changed"</c>
/// runs it; tests/e2e/CONFORMANCE.md lists all rows.
/// </summary>
/// <param name="row">The row's "Testname" in the suite.</param>
[TraitDiscoverer("Mesh.Testing.RowDiscoverer", "Mesh.Testing")]
[AttributeUsage(AttributeTargets.Method, AllowMultiple = true)]
public sealed class ConformanceAttribute(string row) : Attribute, ITraitAttribute
{
    /// <summary>The row's name.</summary>
    public string Row { get; } = row;
}

/// <summary>The test holds a line of the list of what clients really ask for (tests/e2e/CONFORMANCE.md, "What clients ask for").</summary>
/// <param name="line">Number of the line.</param>
[TraitDiscoverer("Mesh.Testing.RowDiscoverer", "Mesh.Testing")]
[AttributeUsage(AttributeTargets.Method, AllowMultiple = true)]
public sealed class CompatibilityAttribute(int line) : Attribute, ITraitAttribute
{
    /// <summary>Number of the line.</summary>
    public int Line { get; } = line;
}

/// <summary>Makes the attributes traits to filter by.</summary>
public sealed class RowDiscoverer : ITraitDiscoverer
{
    /// <inheritdoc/>
    public IEnumerable<KeyValuePair<string, string>> GetTraits(IAttributeInfo traitAttribute)
    {
        ArgumentNullException.ThrowIfNull(traitAttribute);
        var value = traitAttribute.GetConstructorArguments().Single();
        yield return new(value is int ? "Compatibility" : "Conformance", value.ToString()!);
    }
}
