using System.Text;

namespace Mesh.NodeAgent.Runtime.Containerd;

/// <summary>Writes containerd's configuration (version 2, understood by 1.6 to 2.x) for what the host can do.</summary>
internal static class ContainerdConfig
{
    public static string Write(ContainerdOptions options, HostProbe host)
    {
        var runtime = options.OciRuntime ?? host.OciRuntime ?? "/usr/sbin/runc";
        var cniBin = options.CniBinDirectory ?? host.CniBinDirectory ?? "/opt/cni/bin";
        var text = new StringBuilder();
        text.AppendLine("version = 2");
        text.AppendLine($"root = {Quote(options.RootDirectory)}");
        text.AppendLine($"state = {Quote(options.StateDirectory)}");
        if (!host.CanLowerOomScore)
            text.AppendLine("oom_score = 0");
        text.AppendLine("disabled_plugins = [\"io.containerd.snapshotter.v1.btrfs\", \"io.containerd.snapshotter.v1.zfs\", \"io.containerd.snapshotter.v1.devmapper\", \"io.containerd.snapshotter.v1.aufs\"]");
        text.AppendLine();
        text.AppendLine("[grpc]");
        text.AppendLine($"  address = {Quote(options.SocketPath)}");
        text.AppendLine();
        text.AppendLine("[ttrpc]");
        text.AppendLine($"  address = {Quote(options.SocketPath + ".ttrpc")}");
        text.AppendLine();
        text.AppendLine("[plugins.\"io.containerd.internal.v1.opt\"]");
        text.AppendLine($"  path = {Quote(Path.Combine(options.Directory, "opt"))}");
        text.AppendLine();
        text.AppendLine("[plugins.\"io.containerd.grpc.v1.cri\"]");
        text.AppendLine($"  sandbox_image = {Quote(options.SandboxImage)}");
        text.AppendLine("  stream_server_address = \"127.0.0.1\"");
        text.AppendLine("  stream_server_port = \"0\"");
        text.AppendLine("  enable_selinux = false");
        text.AppendLine("  enable_unprivileged_ports = true");
        text.AppendLine("  enable_unprivileged_icmp = true");
        text.AppendLine("  max_container_log_line_size = 16384");
        if (!host.AppArmor)
            text.AppendLine("  disable_apparmor = true");
        if (!host.CanLowerOomScore)
            text.AppendLine("  restrict_oom_score_adj = true");
        text.AppendLine();
        text.AppendLine("  [plugins.\"io.containerd.grpc.v1.cri\".cni]");
        text.AppendLine($"    bin_dir = {Quote(cniBin)}");
        text.AppendLine($"    conf_dir = {Quote(options.CniConfigDirectory)}");
        text.AppendLine("    max_conf_num = 1");
        text.AppendLine();
        text.AppendLine("  [plugins.\"io.containerd.grpc.v1.cri\".containerd]");
        text.AppendLine("    snapshotter = \"overlayfs\"");
        text.AppendLine("    default_runtime_name = \"runc\"");
        text.AppendLine();
        text.AppendLine("    [plugins.\"io.containerd.grpc.v1.cri\".containerd.runtimes.runc]");
        text.AppendLine("      runtime_type = \"io.containerd.runc.v2\"");
        text.AppendLine();
        text.AppendLine("      [plugins.\"io.containerd.grpc.v1.cri\".containerd.runtimes.runc.options]");
        text.AppendLine($"        BinaryName = {Quote(runtime)}");
        // The agent makes cgroupfs paths (/kubepods/…) on v1 and v2 alike, so runc must not ask systemd.
        text.AppendLine("        SystemdCgroup = false");
        if (options.RegistryConfigDirectory.Length > 0)
        {
            text.AppendLine();
            text.AppendLine("  [plugins.\"io.containerd.grpc.v1.cri\".registry]");
            text.AppendLine($"    config_path = {Quote(options.RegistryConfigDirectory)}");
        }

        return text.ToString();
    }

    private static string Quote(string value) => "\"" + value.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal) + "\"";
}
