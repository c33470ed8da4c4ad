using System.Text;
using Mesh.Api.Core.V1;

namespace Mesh.NodeAgent.Containers;

/// <summary>ConfigMaps and Secrets of a pod's namespace that its containers refer to; null values are objects that do not exist.</summary>
internal sealed record ReferencedObjects(IReadOnlyDictionary<string, ConfigMap?> ConfigMaps, IReadOnlyDictionary<string, Secret?> Secrets)
{
    public static ReferencedObjects None { get; } = new(new Dictionary<string, ConfigMap?>(), new Dictionary<string, Secret?>());
}

/// <summary>
/// A container's environment: service variables, then envFrom, then env, later ones winning; $(NAME) sees what was set before it.
/// </summary>
internal static class EnvironmentBuilder
{
    /// <summary>Names of the ConfigMaps and Secrets the environment of a container reads.</summary>
    public static (HashSet<string> ConfigMaps, HashSet<string> Secrets) References(Container container)
    {
        var maps = new HashSet<string>();
        var secrets = new HashSet<string>();
        foreach (var source in container.EnvFrom ?? [])
        {
            if (source.ConfigMapRef?.Name is { } map)
                maps.Add(map);
            if (source.SecretRef?.Name is { } secret)
                secrets.Add(secret);
        }

        foreach (var variable in container.Env ?? [])
        {
            if (variable.ValueFrom?.ConfigMapKeyRef?.Name is { } map)
                maps.Add(map);
            if (variable.ValueFrom?.SecretKeyRef?.Name is { } secret)
                secrets.Add(secret);
        }

        return (maps, secrets);
    }

    public static IReadOnlyList<KeyValuePair<string, string>> Build(
        Pod pod,
        Container container,
        PodFacts facts,
        IEnumerable<Service> services,
        ReferencedObjects objects)
    {
        var result = new List<KeyValuePair<string, string>>();
        var known = new Dictionary<string, string>(StringComparer.Ordinal);
        var ns = pod.Metadata.Namespace ?? "default";
        var serviceVariables = ServiceVariables.For(ns, pod.Spec?.EnableServiceLinks != false, services);

        foreach (var source in container.EnvFrom ?? [])
            foreach (var (name, value) in FromSource(source, ns, objects))
                known[name] = value;

        var declared = new Dictionary<string, string>(known, StringComparer.Ordinal);
        foreach (var variable in container.Env ?? [])
        {
            var name = variable.Name!;
            string? Lookup(string wanted) => known.TryGetValue(wanted, out var v) || serviceVariables.TryGetValue(wanted, out v) ? v : null;
            var value = variable.ValueFrom is { } from
                ? FromReference(pod, container, from, facts, ns, objects)
                : VariableExpansion.Expand(variable.Value ?? "", Lookup);
            if (value is null)
                continue;
            known[name] = value;
            declared[name] = value;
        }

        foreach (var (name, value) in serviceVariables)
            if (!declared.ContainsKey(name))
                result.Add(new(name, value));
        result.AddRange(declared);
        return result;
    }

    /// <summary>Command line words with $(NAME) replaced from the finished environment.</summary>
    public static IEnumerable<string> ExpandWords(IEnumerable<string>? words, IReadOnlyList<KeyValuePair<string, string>> environment)
    {
        var map = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var (name, value) in environment)
            map[name] = value;
        return (words ?? []).Select(w => VariableExpansion.Expand(w, n => map.TryGetValue(n, out var v) ? v : null));
    }

    private static IEnumerable<(string Name, string Value)> FromSource(EnvFromSource source, string ns, ReferencedObjects objects)
    {
        var prefix = source.Prefix ?? "";
        if (source.ConfigMapRef is { Name: { } mapName } mapRef)
        {
            if (objects.ConfigMaps.GetValueOrDefault(mapName) is { } map)
                return (map.Data ?? []).Where(p => Usable(prefix + p.Key)).Select(p => (prefix + p.Key, p.Value));
            return mapRef.Optional == true ? [] : throw new ContainerConfigException($"configmap \"{mapName}\" not found");
        }

        if (source.SecretRef is { Name: { } secretName } secretRef)
        {
            if (objects.Secrets.GetValueOrDefault(secretName) is { } secret)
                return (secret.Data ?? []).Where(p => Usable(prefix + p.Key)).Select(p => (prefix + p.Key, Encoding.UTF8.GetString(p.Value)));
            return secretRef.Optional == true ? [] : throw new ContainerConfigException($"secret \"{secretName}\" not found");
        }

        return [];
    }

    private static string? FromReference(Pod pod, Container container, EnvVarSource from, PodFacts facts, string ns, ReferencedObjects objects)
    {
        if (from.FieldRef is { } field)
            return FieldReferences.Field(pod, field.FieldPath ?? "", facts);
        if (from.ResourceFieldRef is { } resource)
        {
            var target = resource.ContainerName is { Length: > 0 } other ? Pods.PodSpecExtensions.FindContainer(pod, other) ?? container : container;
            return FieldReferences.Resource(pod, target, resource, facts);
        }

        if (from.ConfigMapKeyRef is { Name: { } mapName } mapRef)
        {
            if (objects.ConfigMaps.GetValueOrDefault(mapName) is not { } map)
                return mapRef.Optional == true ? null : throw new ContainerConfigException($"configmap \"{mapName}\" not found");
            if (map.Data is { } data && data.TryGetValue(mapRef.Key ?? "", out var value))
                return value;
            return mapRef.Optional == true ? null : throw new ContainerConfigException($"couldn't find key {mapRef.Key} in ConfigMap {ns}/{mapName}");
        }

        if (from.SecretKeyRef is { Name: { } secretName } secretRef)
        {
            if (objects.Secrets.GetValueOrDefault(secretName) is not { } secret)
                return secretRef.Optional == true ? null : throw new ContainerConfigException($"secret \"{secretName}\" not found");
            if (secret.Data is { } data && data.TryGetValue(secretRef.Key ?? "", out var value))
                return Encoding.UTF8.GetString(value);
            return secretRef.Optional == true ? null : throw new ContainerConfigException($"couldn't find key {secretRef.Key} in Secret {ns}/{secretName}");
        }

        return "";
    }

    private static bool Usable(string name) => name.Length > 0 && !name.Contains('=', StringComparison.Ordinal) && !name.Contains('\0', StringComparison.Ordinal);
}
