namespace Mesh.NodeAgent.Runtime.Containerd;

/// <summary>Where the agent's own containerd lives and how it is set up.</summary>
internal sealed record ContainerdOptions
{
    /// <summary>Directory that holds everything of this containerd; removed with the node.</summary>
    public required string Directory { get; init; }

    /// <summary>Directory with the CNI network lists.</summary>
    public required string CniConfigDirectory { get; init; }

    /// <summary>Directory with the CNI plugins; found when null.</summary>
    public string? CniBinDirectory { get; init; }

    /// <summary>Image of the pod sandbox (must be importable or pullable).</summary>
    public string SandboxImage { get; init; } = "registry.k8s.io/pause:3.10";

    /// <summary>Directory with hosts.toml trees for registries; empty for containerd's default.</summary>
    public string RegistryConfigDirectory { get; init; } = "";

    /// <summary>OCI runtime binary; found when null.</summary>
    public string? OciRuntime { get; init; }

    /// <summary>containerd binary; found when null.</summary>
    public string? Binary { get; init; }

    public string RootDirectory => Path.Combine(Directory, "root");

    public string StateDirectory => Path.Combine(Directory, "state");

    public string ConfigPath => Path.Combine(Directory, "config.toml");

    public string LogPath => Path.Combine(Directory, "containerd.log");

    public string PidPath => Path.Combine(Directory, "containerd.pid");

    public string SocketPath => SocketPaths.Fit(Path.Combine(Directory, "containerd.sock"));
}

/// <summary>Unix socket paths are at most 107 bytes; longer ones move to /run under a hash of the wish.</summary>
internal static class SocketPaths
{
    private const int Limit = 100;

    public static string Fit(string wanted)
    {
        if (wanted.Length <= Limit)
            return wanted;
        var hash = System.Security.Cryptography.SHA256.HashData(System.Text.Encoding.UTF8.GetBytes(wanted));
        return $"/run/mesh/{Convert.ToHexStringLower(hash.AsSpan(0, 8))}.sock";
    }
}
