using System.Text.Json.Nodes;
using Mesh.Api;

namespace Mesh.Gateway.Registry.Kinds;

/// <summary>Which rule names of a kind follow.</summary>
internal enum NameRule
{
    /// <summary>DNS-1123 subdomain.</summary>
    Subdomain,

    /// <summary>DNS-1123 label.</summary>
    Label,

    /// <summary>Anything that is one segment of a URL's path.</summary>
    PathSegment,
}

/// <summary>A kind by its data: status or not, generation or not, name rule. Kinds with rules of their own derive from it.</summary>
internal class KindStrategy(ApiResource resource, bool hasStatus = false, bool generation = false, NameRule names = NameRule.Subdomain)
    : DefaultStrategy(resource, hasStatus)
{
    /// <inheritdoc/>
    public override bool HasGeneration => generation;

    /// <inheritdoc/>
    public override IReadOnlyList<string> ValidateName(string name, bool isPrefix)
    {
        // A generateName may end in '-': what stands there later is a letter.
        if (isPrefix && name.Length > 1 && name[^1] == '-' && names != NameRule.PathSegment)
            name = name[..^2] + "a";
        return names switch
        {
            NameRule.Label => Names.Dns1123Label(name),
            NameRule.PathSegment => Names.PathSegment(name),
            _ => Names.Dns1123Subdomain(name),
        };
    }

    /// <summary>The resource of a group version, from the resource table.</summary>
    protected static ApiResource Of(string group, string version, string plural) =>
        ResourceTable.Find(group, version, plural) ?? throw new InvalidOperationException($"no resource {plural} in {group}/{version}");

    /// <summary>The spec; empty when absent, so that rules report what is missing.</summary>
    protected static JsonObject Spec(JsonObject obj) => obj.Obj("spec") ?? [];
}
