using System.Collections.Frozen;
using Mesh.Api;
using Mesh.Hosting;

namespace Mesh.Gateway.Registry;

/// <summary>
/// What this gateway serves of all it knows: as Kubernetes has it, finished versions and neither beta nor alpha (KEP-3136), unless
/// --runtime-config says otherwise: <c>api/all|ga|beta|alpha</c>, <c>GROUP/VERSION</c> and <c>GROUP/VERSION/RESOURCE</c>, each with
/// =true or =false; the narrower wins. Discovery, OpenAPI and every path follow it.
/// </summary>
internal sealed class ServedResources
{
    private readonly FrozenDictionary<(string Group, string Version, string Plural), ApiResource> byPlural;

    private ServedResources(IReadOnlyList<ApiResource> all)
    {
        All = all;
        byPlural = all.ToFrozenDictionary(static r => (r.Group, r.Version, r.Plural));
    }

    /// <summary>What is served without a word about it.</summary>
    public static ServedResources Default { get; } = Parse("");

    /// <summary>All of it, in the order of the resource table.</summary>
    public IReadOnlyList<ApiResource> All { get; }

    /// <summary>The served resource of a group, version and plural, or null.</summary>
    public ApiResource? Find(string group, string version, string plural) => byPlural.GetValueOrDefault((group, version, plural));

    /// <summary>Reads --runtime-config.</summary>
    /// <exception cref="SettingsException">An entry names nothing that could be served, or has no yes or no.</exception>
    public static ServedResources Parse(string config)
    {
        ArgumentNullException.ThrowIfNull(config);
        var said = new Dictionary<string, bool>(StringComparer.Ordinal);
        foreach (var entry in config.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries))
        {
            var equals = entry.IndexOf('=', StringComparison.Ordinal);
            var (key, value) = equals < 0 ? (entry, "true") : (entry[..equals], entry[(equals + 1)..]);
            if (!bool.TryParse(value, out var on)) throw new SettingsException($"--runtime-config {entry}: neither true nor false");
            // The core group has no name; api/v1 is how Kubernetes calls its version.
            key = key is "api/v1" or "v1" ? "v1" : key.StartsWith("api/v1/", StringComparison.Ordinal) ? key[4..] : key;
            if (key is not ("api/all" or "api/ga" or "api/beta" or "api/alpha") && !ResourceTable.All.Any(r => key == r.GroupVersion || key == r.GroupVersion + "/" + r.Plural))
                throw new SettingsException($"--runtime-config {entry}: there is no such group version or resource");
            said[key] = on;
        }

        return new ServedResources([.. ResourceTable.All.Where(r => Serves(r, said))]);
    }

    private static bool Serves(ApiResource resource, Dictionary<string, bool> said)
    {
        var stage = resource.Version.Contains("alpha", StringComparison.Ordinal) ? "alpha" : resource.Version.Contains("beta", StringComparison.Ordinal) ? "beta" : "ga";
        foreach (var key in (string[])[resource.GroupVersion + "/" + resource.Plural, resource.GroupVersion, "api/" + stage, "api/all"])
        {
            if (said.TryGetValue(key, out var on)) return on;
        }

        return stage == "ga";
    }
}
