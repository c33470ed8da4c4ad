using System.Diagnostics.Metrics;
using System.Runtime.InteropServices;
using System.Text.Json.Nodes;

namespace Mesh.Gateway.Http;

/// <summary>/version: what kubectl and helm read to know what the server can.</summary>
internal static class VersionInfo
{
    /// <summary>The Kubernetes version that is spoken.</summary>
    public const string GitVersion = "v1.36.0";

    private const string BuildDate = "2026-04-22T00:00:00Z";
    private static readonly string Platform = "linux/" + (RuntimeInformation.ProcessArchitecture == Architecture.Arm64 ? "arm64" : "amd64");

    private static readonly KeyValuePair<string, object?>[] Labels =
    [
        new("major", "1"), new("minor", "36"), new("git_version", GitVersion), new("git_commit", ""), new("git_tree_state", "clean"), new("build_date", BuildDate),
        new("go_version", ""), new("compiler", "dotnet"), new("platform", Platform),
    ];

    /// <summary>The version as the labels of kubernetes_build_info.</summary>
    public static Measurement<int> BuildInfo() => new(1, Labels);

    /// <summary>The document.</summary>
    public static byte[] Document { get; } = System.Text.Encoding.UTF8.GetBytes(
        new JsonObject
        {
            ["major"] = "1",
            ["minor"] = "36",
            ["emulationMajor"] = "1",
            ["emulationMinor"] = "36",
            ["minCompatibilityMajor"] = "1",
            ["minCompatibilityMinor"] = "35",
            ["gitVersion"] = GitVersion,
            ["gitCommit"] = "",
            ["gitTreeState"] = "clean",
            ["buildDate"] = BuildDate,
            ["goVersion"] = "",
            ["compiler"] = "dotnet",
            ["platform"] = Platform,
        }.ToJsonString(new System.Text.Json.JsonSerializerOptions { WriteIndented = true }));
}
