using System.Globalization;
using System.Text;
using Google.Protobuf;
using Mesh.Api;
using Mesh.Api.Core.V1;
using Mesh.NodeAgent.Pods;
using Mesh.NodeAgent.Pods.Planning;
using Mesh.NodeAgent.Runtime;

namespace Mesh.NodeAgent.Containers;

/// <summary>Everything a container's configuration is made of, gathered beforehand.</summary>
internal sealed record ContainerInputs
{
    public required Pod Pod { get; init; }

    public required Container Spec { get; init; }

    public required int RestartCount { get; init; }

    public required string ImageRef { get; init; }

    public long? ImageUid { get; init; }

    public string ImageUser { get; init; } = "";

    public required IReadOnlyList<KeyValuePair<string, string>> Environment { get; init; }

    public required IReadOnlyList<Cri.Mount> Mounts { get; init; }

    public required Cri.LinuxContainerResources Resources { get; init; }

    /// <summary>Container whose processes an ephemeral container shall see.</summary>
    public string? TargetContainerId { get; init; }
}

/// <summary>A container's CRI configuration. Pure.</summary>
internal static class ContainerConfigBuilder
{
    /// <summary>The log's path below the sandbox's log directory.</summary>
    public static string LogPath(string container, int restartCount) => $"{container}/{restartCount.ToString(CultureInfo.InvariantCulture)}.log";

    public static Cri.ContainerConfig Build(ContainerInputs inputs)
    {
        var (pod, spec) = (inputs.Pod, inputs.Spec);
        var config = new Cri.ContainerConfig
        {
            Metadata = new Cri.ContainerMetadata { Name = spec.Name, Attempt = (uint)inputs.RestartCount },
            Image = new Cri.ImageSpec { Image = inputs.ImageRef, UserSpecifiedImage = spec.Image ?? "" },
            WorkingDir = spec.WorkingDir ?? "",
            LogPath = LogPath(spec.Name!, inputs.RestartCount),
            Stdin = spec.Stdin == true,
            StdinOnce = spec.StdinOnce == true,
            Tty = spec.Tty == true,
            Linux = new Cri.LinuxContainerConfig
            {
                Resources = inputs.Resources,
                SecurityContext = SecurityContexts.Build(pod, spec, inputs.ImageUid, inputs.ImageUser, inputs.TargetContainerId),
            },
        };
        config.Command.AddRange(EnvironmentBuilder.ExpandWords(spec.Command, inputs.Environment));
        config.Args.AddRange(EnvironmentBuilder.ExpandWords(spec.Args, inputs.Environment));
        foreach (var (name, value) in inputs.Environment)
            config.Envs.Add(new Cri.KeyValue { Key = name, Value = ByteString.CopyFrom(value, Encoding.UTF8) });
        config.Mounts.AddRange(inputs.Mounts);
        config.Labels[RuntimeLabels.PodName] = pod.Metadata.Name;
        config.Labels[RuntimeLabels.PodNamespace] = pod.Metadata.Namespace;
        config.Labels[RuntimeLabels.PodUid] = pod.Uid();
        config.Labels[RuntimeLabels.ContainerName] = spec.Name;
        config.Annotations[RuntimeLabels.SpecHash] = spec.SpecHash();
        config.Annotations[RuntimeLabels.Resources] = Encoding.UTF8.GetString(KubeJson.Serialize(spec.Resources ?? new ResourceRequirements()));
        config.Annotations[RuntimeLabels.RestartCount] = inputs.RestartCount.ToString(CultureInfo.InvariantCulture);
        config.Annotations[RuntimeLabels.TerminationMessagePath] = spec.TerminationMessagePath ?? "";
        config.Annotations[RuntimeLabels.TerminationMessagePolicy] = spec.TerminationMessagePolicy ?? "";
        config.Annotations[RuntimeLabels.GracePeriod] = pod.GraceSeconds().ToString(CultureInfo.InvariantCulture);
        return config;
    }
}
