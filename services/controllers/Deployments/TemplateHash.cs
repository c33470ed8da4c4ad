using System.Globalization;
using System.Text;
using Mesh.Api.Core.V1;

namespace Mesh.Controllers.Deployments;

/// <summary>
/// The pod-template-hash: FNV-1a 32 over the template's JSON and the collision count, in the alphabet Kubernetes uses (no vowels,
/// nothing that looks like another letter). A hash only names a set; equality of templates is decided on the templates.
/// </summary>
internal static class TemplateHash
{
    internal const string Label = "pod-template-hash";
    private const string Alphabet = "bcdfghjklmnpqrstvwxz2456789";

    internal static string Compute(PodTemplateSpec template, int? collisionCount)
    {
        var hash = 2166136261u;
        foreach (var b in Mesh.Api.KubeJson.Serialize(template)) Add(b);
        if (collisionCount is { } count)
        {
            for (var i = 0; i < 4; i++) Add((byte)(count >> (8 * i)));
        }

        var text = new StringBuilder();
        foreach (var digit in hash.ToString(CultureInfo.InvariantCulture)) text.Append(Alphabet[digit % Alphabet.Length]);
        return text.ToString();

        void Add(byte b) => hash = (hash ^ b) * 16777619u;
    }

    /// <summary>Equal but for the hash label that the deployment itself adds.</summary>
    internal static bool SameTemplate(PodTemplateSpec? a, PodTemplateSpec? b)
    {
        if (a is null || b is null) return a is null && b is null;
        return PodTemplateSpec.SemanticEquals(WithoutHash(a), WithoutHash(b));
    }

    private static PodTemplateSpec WithoutHash(PodTemplateSpec template)
    {
        if (template.Metadata?.Labels?.ContainsKey(Label) != true) return template;
        var copy = template.Clone();
        copy.Metadata!.Labels!.Remove(Label);
        return copy;
    }
}
