using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Mesh.Api.Core.V1;

namespace Mesh.NodeAgent.Pods;

/// <summary>What the agent keeps asking of a pod's spec.</summary>
internal static class PodSpecExtensions
{
    public const long DefaultGraceSeconds = 30;

    public static string Uid(this Pod pod) => pod.Metadata.Uid ?? "";

    public static string Key(this Pod pod) => $"{pod.Metadata.Namespace}/{pod.Metadata.Name}";

    /// <summary>The form Kubernetes' messages use: name_namespace(uid).</summary>
    public static string Describe(this Pod pod) => $"{pod.Metadata.Name}_{pod.Metadata.Namespace}({pod.Uid()})";

    public static string RestartPolicy(this Pod pod) => pod.Spec?.RestartPolicy ?? "Always";

    public static IReadOnlyList<Container> InitContainers(this Pod pod) => pod.Spec?.InitContainers ?? [];

    public static IReadOnlyList<Container> MainContainers(this Pod pod) => pod.Spec?.Containers ?? [];

    /// <summary>An init container that keeps running beside the others (a sidecar).</summary>
    public static bool IsRestartable(this Container initContainer) => initContainer.RestartPolicy == "Always";

    public static bool HostNetwork(this Pod pod) => pod.Spec?.HostNetwork == true;

    public static bool IsTerminal(this Pod pod) => pod.Status?.Phase is "Succeeded" or "Failed";

    /// <summary>Every container of the pod, init containers first.</summary>
    public static IEnumerable<Container> AllContainers(this Pod pod) =>
        pod.InitContainers().Concat(pod.MainContainers()).Concat(pod.EphemeralContainers());

    public static Container? FindContainer(this Pod pod, string name) => pod.AllContainers().FirstOrDefault(c => c.Name == name);

    /// <summary>Ephemeral containers have every field of a container and one more; the common ones are taken over by name.</summary>
    public static IReadOnlyList<Container> EphemeralContainers(this Pod pod)
    {
        if (pod.Spec?.EphemeralContainers is not { Count: > 0 } list)
            return [];
        var result = new List<Container>(list.Count);
        foreach (var item in list)
        {
            var reader = new Utf8JsonReader(ToJson(item.WriteJson));
            reader.Read();
            result.Add(Container.ReadJson(ref reader));
        }

        return result;
    }

    /// <summary>Seconds the pod gets to end by itself.</summary>
    public static long GraceSeconds(this Pod pod) =>
        pod.Metadata.DeletionGracePeriodSeconds ?? pod.Spec?.TerminationGracePeriodSeconds ?? DefaultGraceSeconds;

    /// <summary>
    /// Identity of what a running container was made from. Only name and image count: changing them restarts the container, while
    /// fields that newer versions add to a spec must not restart the containers of a running node.
    /// </summary>
    public static string SpecHash(this Container container)
    {
        var digest = SHA256.HashData(Encoding.UTF8.GetBytes(container.Name + "\n" + container.Image));
        return Convert.ToHexStringLower(digest.AsSpan(0, 4));
    }

    public static byte[] ToJson(Action<Utf8JsonWriter> write)
    {
        var buffer = new System.Buffers.ArrayBufferWriter<byte>();
        using (var writer = new Utf8JsonWriter(buffer))
            write(writer);
        return buffer.WrittenSpan.ToArray();
    }
}
