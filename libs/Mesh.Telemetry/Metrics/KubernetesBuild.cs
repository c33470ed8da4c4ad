using System.Diagnostics.Metrics;
using System.Runtime.InteropServices;

namespace Mesh.Telemetry;

/// <summary>The version of Kubernetes that every component speaks, for /version and kubernetes_build_info.</summary>
public static class KubernetesBuild
{
    /// <summary>The version with its "v".</summary>
    public const string GitVersion = "v1.36.0";

    /// <summary>When that was released, RFC 3339.</summary>
    public const string BuildDate = "2026-04-22T00:00:00Z";

    /// <summary>System and processor as Go names them.</summary>
    public static string Platform { get; } = "linux/" + (RuntimeInformation.ProcessArchitecture == Architecture.Arm64 ? "arm64" : "amd64");

    private static readonly KeyValuePair<string, object?>[] s_labels =
    [
        new("major", "1"), new("minor", "36"), new("git_version", GitVersion), new("git_commit", ""), new("git_tree_state", "clean"), new("build_date", BuildDate),
        new("go_version", ""), new("compiler", "dotnet"), new("platform", Platform),
    ];

    /// <summary>Adds kubernetes_build_info to a component's metrics.</summary>
    public static void Export(Meter meter)
    {
        ArgumentNullException.ThrowIfNull(meter);
        meter.CreateObservableGauge("kubernetes_build_info", static () => new Measurement<int>(1, s_labels), description: "A metric with a constant '1' value labeled by major, minor, git version, git commit, git tree state, build date, Go version, and compiler from which Kubernetes was built, and platform on which it is running.");
    }
}
