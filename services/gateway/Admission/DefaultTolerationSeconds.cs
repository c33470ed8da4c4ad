using System.Text.Json.Nodes;
using Mesh.Api;
using Mesh.Gateway.Authorization;

namespace Mesh.Gateway.Admission;

/// <summary>A pod that says nothing about it stays five minutes on a node that is not ready or not reachable.</summary>
internal sealed class DefaultTolerationSeconds() : AdmissionPlugin("DefaultTolerationSeconds")
{
    private const int Seconds = 300;
    private static readonly string[] Keys = ["node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable"];

    /// <inheritdoc/>
    public override bool Handles(AdmissionOperation operation, ApiResource resource, string subresource) =>
        operation is AdmissionOperation.Create or AdmissionOperation.Update && IsPod(resource) && subresource.Length == 0;

    /// <inheritdoc/>
    public override ValueTask AdmitAsync(AdmissionAttributes attributes, CancellationToken ct)
    {
        if (attributes.Object?["spec"] is not JsonObject spec) return ValueTask.CompletedTask;
        var missing = Keys.Where(key => !spec.Objects("tolerations").Any(t => Speaks(t, key))).ToArray();
        if (missing.Length == 0) return ValueTask.CompletedTask;
        if (spec["tolerations"] is not JsonArray tolerations) spec["tolerations"] = tolerations = [];
        foreach (var key in missing)
        {
            tolerations.Add(new JsonObject { ["effect"] = "NoExecute", ["key"] = key, ["operator"] = "Exists", ["tolerationSeconds"] = Seconds });
        }

        return ValueTask.CompletedTask;
    }

    private static bool Speaks(JsonObject toleration, string key) =>
        (toleration.Text("key") == key || toleration.Text("key").Length == 0) && toleration.Text("effect") is "NoExecute" or "";
}
