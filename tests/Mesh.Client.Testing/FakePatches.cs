using System.Text.Json.Nodes;
using Mesh.Api.Patches;

namespace Mesh.Client.Testing;

/// <summary>Patches as the fake does them: the product's own algorithms, with one schema that knows the lists controllers merge.</summary>
internal static class FakePatches
{
    internal static JsonObject Apply(JsonObject target, PatchType type, ReadOnlySpan<byte> patch) => type switch
    {
        PatchType.Json => JsonPatch.Apply(target, patch)!.AsObject(),
        PatchType.Merge => MergePatch.Apply(target, patch),
        _ => StrategicMergePatch.Apply(target, patch, CommonLists.Instance),
    };

    private sealed class CommonLists : IPatchSchema
    {
        internal static readonly CommonLists Instance = new();

        public PatchField Field(string name) => name switch
        {
            "conditions" => new PatchField(this, true, "type"),
            "ownerReferences" => new PatchField(this, true, "uid"),
            "finalizers" => new PatchField(null, true, null),
            _ => new PatchField(this, false, null),
        };
    }
}
