using System.Text.Json.Nodes;
using Mesh.Api;
using Mesh.Api.Schema;

namespace Mesh.Gateway.Registry.Apply;

/// <summary>A resource's objects in its other served versions, for managers that wrote in those: their fields have other names there.</summary>
internal sealed class VersionViews
{
    private readonly ApiResource resource;
    private readonly VersionConversion? own;
    private readonly (ApiResource Resource, VersionConversion? Conversion)[] others;

    private VersionViews(ApiResource resource, VersionConversion? own, (ApiResource Resource, VersionConversion? Conversion)[] others) =>
        (this.resource, this.own, this.others) = (resource, own, others);

    /// <summary>The views of a resource, or null when it has one version only.</summary>
    public static VersionViews? For(ApiResource resource)
    {
        var others = VersionConversion.SiblingsOf(resource).Select(static r => (r, VersionConversion.For(r))).ToArray();
        return others.Length == 0 ? null : new VersionViews(resource, VersionConversion.For(resource), others);
    }

    /// <summary>An object of the resource in another version, with its type; null when there is no such version.</summary>
    public (TypeSchema Type, JsonObject Object)? In(string apiVersion, JsonObject obj)
    {
        foreach (var (other, conversion) in others)
        {
            if (other.GroupVersion != apiVersion || ApiSchema.Builtin.FindKind(apiVersion, resource.Kind) is not { } kind) continue;
            var copy = (JsonObject)obj.DeepClone();
            own?.Store(copy);
            conversion?.Serve(copy);
            return (kind.Type, copy);
        }

        return null;
    }
}
