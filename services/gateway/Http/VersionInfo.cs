using System.Text.Json.Nodes;
using Mesh.Telemetry;

namespace Mesh.Gateway.Http;

/// <summary>/version: what kubectl and helm read to know what the server can.</summary>
internal static class VersionInfo
{
    /// <summary>The Kubernetes version that is spoken.</summary>
    public const string GitVersion = KubernetesBuild.GitVersion;

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
            ["buildDate"] = KubernetesBuild.BuildDate,
            ["goVersion"] = "",
            ["compiler"] = "dotnet",
            ["platform"] = KubernetesBuild.Platform,
        }.ToJsonString(new System.Text.Json.JsonSerializerOptions { WriteIndented = true }));
}
