using System.Net;
using System.Text.Json.Nodes;

namespace Mesh.Gateway.Tests.Apply;

/// <summary>Server-side apply and the managers of objects, as tests say them.</summary>
internal static class ApplyClient
{
    public const string Type = "application/apply-patch+yaml";

    public static Task<(int Code, JsonObject Body)> ApplyAsync(this GatewayHost host, string path, string manager, string body, string more = "") =>
        host.SendAsync(HttpMethod.Patch, $"{path}?fieldManager={WebUtility.UrlEncode(manager)}{more}", body, Type);

    public static Task<(int Code, JsonObject Body)> PatchAsync(this GatewayHost host, string path, string manager, string body, string type = "application/merge-patch+json") =>
        host.SendAsync(HttpMethod.Patch, $"{path}?fieldManager={WebUtility.UrlEncode(manager)}", body, type);

    public static Task<(int Code, JsonObject Body)> PutAsync(this GatewayHost host, string path, string manager, JsonObject body) =>
        host.SendAsync(HttpMethod.Put, $"{path}?fieldManager={WebUtility.UrlEncode(manager)}", body.ToJsonString());

    /// <summary>The fields of a manager as compact JSON; null when it has no entry.</summary>
    public static string? Fields(this JsonObject obj, string manager, string operation = "Apply", string subresource = "") =>
        obj.Entry(manager, operation, subresource)?["fieldsV1"]?.ToJsonString(Compact);

    public static JsonObject? Entry(this JsonObject obj, string manager, string operation = "Apply", string subresource = "") =>
        obj.Managers().FirstOrDefault(e => e["manager"]!.ToString() == manager && e["operation"]!.ToString() == operation && (e["subresource"]?.ToString() ?? "") == subresource);

    public static IEnumerable<JsonObject> Managers(this JsonObject obj) => (obj["metadata"]!["managedFields"] as JsonArray ?? []).OfType<JsonObject>();

    public static string Version(this JsonObject obj) => obj["metadata"]!["resourceVersion"]!.ToString();

    private static readonly System.Text.Json.JsonSerializerOptions Compact = new() { Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping };
}
