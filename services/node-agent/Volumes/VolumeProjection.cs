using System.Text;
using Mesh.Api.Core.V1;
using Mesh.NodeAgent.Containers;
using Mesh.NodeAgent.Pods;

namespace Mesh.NodeAgent.Volumes;

/// <summary>The files of configMap, secret, downwardAPI and projected volumes, computed from the objects. Pure.</summary>
internal static class VolumeProjection
{
    private const int DefaultMode = 0x1A4; // 0644

    public static void AddConfigMap(
        Dictionary<string, ProjectedFile> files,
        ConfigMap? map,
        string name,
        IReadOnlyList<KeyToPath>? items,
        bool optional,
        int? defaultMode)
    {
        if (map is null)
        {
            if (!optional)
                throw new VolumeException($"configmap \"{name}\" not found");
            return;
        }

        var data = new Dictionary<string, byte[]>(StringComparer.Ordinal);
        foreach (var (key, value) in map.Data ?? [])
            data[key] = Encoding.UTF8.GetBytes(value);
        foreach (var (key, value) in map.BinaryData ?? [])
            data[key] = value;
        Add(files, data, items, optional, defaultMode, "configmap references non-existent config key: {0}");
    }

    public static void AddSecret(Dictionary<string, ProjectedFile> files, Secret? secret, string name, IReadOnlyList<KeyToPath>? items, bool optional, int? defaultMode)
    {
        if (secret is null)
        {
            if (!optional)
                throw new VolumeException($"secret \"{name}\" not found");
            return;
        }

        Add(files, secret.Data ?? [], items, optional, defaultMode, "references non-existent secret key: {0}");
    }

    public static void AddDownward(Dictionary<string, ProjectedFile> files, IReadOnlyList<DownwardAPIVolumeFile>? items, int? defaultMode, Pod pod, PodFacts facts)
    {
        foreach (var item in items ?? [])
        {
            string text;
            if (item.FieldRef is { } field)
                text = FieldReferences.Field(pod, field.FieldPath ?? "", facts);
            else if (item.ResourceFieldRef is { } resource && pod.FindContainer(resource.ContainerName ?? "") is { } container)
                text = FieldReferences.Resource(pod, container, resource, facts);
            else
                throw new VolumeException($"no value for downward API file {item.Path}");
            files[Clean(item.Path!)] = new ProjectedFile(Encoding.UTF8.GetBytes(text), item.Mode ?? defaultMode ?? DefaultMode);
        }
    }

    private static void Add(
        Dictionary<string, ProjectedFile> files,
        IReadOnlyDictionary<string, byte[]> data,
        IReadOnlyList<KeyToPath>? items,
        bool optional,
        int? defaultMode,
        string missing)
    {
        if (items is not { Count: > 0 })
        {
            foreach (var (key, value) in data)
                files[key] = new ProjectedFile(value, defaultMode ?? DefaultMode);
            return;
        }

        foreach (var item in items)
        {
            if (data.TryGetValue(item.Key ?? "", out var value))
                files[Clean(item.Path!)] = new ProjectedFile(value, item.Mode ?? defaultMode ?? DefaultMode);
            else if (!optional)
                throw new VolumeException(string.Format(System.Globalization.CultureInfo.InvariantCulture, missing, item.Key));
        }
    }

    /// <summary>The API has refused absolute paths and "..": what is left is only tidied, and checked again because it becomes a path on the host.</summary>
    private static string Clean(string path)
    {
        var parts = path.Split('/', StringSplitOptions.RemoveEmptyEntries).Where(p => p != ".").ToList();
        if (parts.Count == 0 || parts[0].StartsWith("..", StringComparison.Ordinal) || parts.Contains(".."))
            throw new VolumeException($"invalid path: {path}");
        return string.Join('/', parts);
    }
}

/// <summary>A volume cannot be set up; the message is for users (event FailedMount).</summary>
internal sealed class VolumeException(string message, Exception? inner = null) : Exception(message, inner);
