namespace Mesh.Api.Patches;

/// <summary>What strategic merge must know of a type.</summary>
public interface IPatchSchema
{
    /// <summary>A field of the type (or, for a map, of its values).</summary>
    PatchField Field(string name);

    /// <summary>The name of the type when it has no such field; null when it has, or has free keys.</summary>
    string? Lacks(string name) => null;
}

/// <summary>What strategic merge must know of a field; the default value is an unknown field: maps merge, lists replace.</summary>
/// <param name="Type">The type of the value, of a list's items or of a map's values; null for scalars and free-form JSON.</param>
/// <param name="Merge">Lists merge by <paramref name="MergeKey"/> (or as a set) instead of being replaced.</param>
/// <param name="MergeKey">The property that names a list's item.</param>
/// <param name="Replace">Objects are replaced instead of merged.</param>
public readonly record struct PatchField(IPatchSchema? Type, bool Merge, string? MergeKey, bool Replace = false);
