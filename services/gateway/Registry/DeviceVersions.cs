using System.Text.Json.Nodes;

namespace Mesh.Gateway.Registry;

/// <summary>
/// resource.k8s.io v1beta1 and v1 hold the same: v1 keeps what a device request asks of one device under <c>exactly</c>, and a
/// slice's device has in itself what v1beta1 keeps under <c>basic</c>.
/// </summary>
internal static class DeviceVersions
{
    private static readonly string[] Asked = ["deviceClassName", "selectors", "allocationMode", "count", "adminAccess", "tolerations", "capacity"];

    /// <summary>v1beta1 → v1, in place.</summary>
    public static void ToFinal(JsonObject obj)
    {
        obj["apiVersion"] = "resource.k8s.io/v1";
        foreach (var request in Requests(obj))
        {
            var exactly = new JsonObject();
            foreach (var name in Asked) Move(request, exactly, name);
            if (exactly.Count > 0) request["exactly"] = exactly;
        }

        foreach (var device in Items(obj["spec"]?["devices"]))
        {
            if (device["basic"] is not JsonObject basic) continue;
            device.Remove("basic");
            foreach (var name in basic.Select(static p => p.Key).ToArray()) Move(basic, device, name);
        }
    }

    /// <summary>v1 → v1beta1, in place.</summary>
    public static void FromFinal(JsonObject obj)
    {
        obj["apiVersion"] = "resource.k8s.io/v1beta1";
        foreach (var request in Requests(obj))
        {
            if (request["exactly"] is not JsonObject exactly) continue;
            request.Remove("exactly");
            foreach (var name in Asked) Move(exactly, request, name);
        }

        // Only a slice's spec has devices in a list; a claim's are an object.
        foreach (var device in Items(obj["spec"]?["devices"]))
        {
            var basic = new JsonObject();
            foreach (var name in device.Select(static p => p.Key).Where(static n => n != "name").ToArray()) Move(device, basic, name);
            device["basic"] = basic;
        }
    }

    // A claim has them in its spec, a template in the spec of its spec.
    private static IEnumerable<JsonObject> Requests(JsonObject obj) =>
        Items((obj["spec"]?["devices"] as JsonObject)?["requests"]).Concat(Items((obj["spec"]?["spec"]?["devices"] as JsonObject)?["requests"]));

    private static IEnumerable<JsonObject> Items(JsonNode? list) => (list as JsonArray)?.OfType<JsonObject>() ?? [];

    private static void Move(JsonObject from, JsonObject to, string name)
    {
        if (from[name] is not { } value) return;
        from.Remove(name);
        to[name] = value;
    }
}
