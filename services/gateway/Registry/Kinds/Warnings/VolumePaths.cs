using System.Text.Json.Nodes;
using Mesh.Api;

namespace Mesh.Gateway.Registry.Kinds.Warnings;

/// <summary>Files of one volume that would lie on or in each other.</summary>
internal static class VolumePaths
{
    /// <summary>Overlaps in the volumes made of keys.</summary>
    public static IEnumerable<string> Overlaps(JsonObject spec) => spec.Items("volumes").SelectMany(static v => Volume(v.Item));

    private static IEnumerable<string> Volume(JsonObject volume)
    {
        var name = GoText.Quote(volume.Str("name"));
        if (volume.Obj("configMap") is { } map)
            return Check(Paths(map), $"volume {name} (ConfigMap {GoText.Quote(map.Str("name"))}): overlapping paths");
        if (volume.Obj("secret") is { } secret)
            return Check(Paths(secret), $"volume {name} (Secret {GoText.Quote(secret.Str("secretName"))}): overlapping paths");
        if (volume.Obj("downwardAPI") is { } downward)
            return Check(Paths(downward), $"volume {name} (DownwardAPI): overlapping paths");
        return volume.Obj("projected") is { } projected ? Projected(projected, name) : [];
    }

    private static IEnumerable<string> Projected(JsonObject projected, string name)
    {
        var all = new HashSet<string>(StringComparer.Ordinal);
        foreach (var (_, source) in projected.Items("sources"))
        {
            if (source.Count == 0)
            {
                yield return $"volume {name} (Projected) has no sources provided";
                continue;
            }

            var (what, paths) = Source(source);
            if (paths.Count == 0)
                continue;
            var text = $"volume {name} (Projected {what}): overlapping paths";
            foreach (var warning in Check(paths, text).Concat(Check([.. paths.Distinct(StringComparer.Ordinal).Concat(all).Order(StringComparer.Ordinal)], text)))
                yield return warning;
            all.UnionWith(paths);
        }
    }

    private static (string What, List<string> Paths) Source(JsonObject source)
    {
        foreach (var (field, kind) in new[] { ("configMap", "ConfigMap"), ("secret", "Secret") })
        {
            if (source.Obj(field) is { } keys)
                return ($"{kind} {GoText.Quote(keys.Str("name"))}", Paths(keys));
        }

        if (source.Obj("downwardAPI") is { } downward)
            return ("DownwardAPI", Paths(downward));
        if (source.Obj("serviceAccountToken") is { } token)
            return ("ServiceAccountToken", [token.Str("path")]);
        return source.Obj("clusterTrustBundle") is { } bundle
            ? ($"ClusterTrustBundle {GoText.Quote(bundle.Has("name") ? bundle.Str("name") : bundle.Str("signerName"))}", [bundle.Str("path")])
            : ("", []);
    }

    private static List<string> Paths(JsonObject keys) => [.. keys.Items("items").Select(static i => i.Item.Str("path"))];

    private static List<string> Check(List<string> paths, string text)
    {
        var (seen, found) = (new SortedSet<string>(StringComparer.Ordinal), new List<string>());
        foreach (var path in paths.Select(static p => p.TrimEnd('/')))
        {
            if (path.Length > 0 && seen.FirstOrDefault(s => Meet(s, path)) is { } other)
                found.Add($"{text}: {GoText.Quote(path)} with {GoText.Quote(other)}");
            if (path.Length > 0)
                seen.Add(path);
        }

        return found;
    }

    // As Kubernetes sees it: "ab/" begins with "a" too.
    private static bool Meet(string a, string b) =>
        (a + "/").StartsWith(b, StringComparison.Ordinal) || (b + "/").StartsWith(a, StringComparison.Ordinal);
}
