using System.Runtime.InteropServices;
using System.Text.Json.Nodes;

namespace Mesh.Gateway.Http;

/// <summary>/version: what kubectl and helm read to know what the server can.</summary>
internal static class VersionInfo
{
    /// <summary>The Kubernetes version that is spoken.</summary>
    public const string GitVersion = "v1.36.0";

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
            ["buildDate"] = "2026-04-22T00:00:00Z",
            ["goVersion"] = "",
            ["compiler"] = "dotnet",
            ["platform"] = "linux/" + (RuntimeInformation.ProcessArchitecture == Architecture.Arm64 ? "arm64" : "amd64"),
        }.ToJsonString(new System.Text.Json.JsonSerializerOptions { WriteIndented = true }));
}
