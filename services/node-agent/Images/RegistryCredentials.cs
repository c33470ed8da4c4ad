using System.Text;
using System.Text.Json;
using Mesh.Api.Core.V1;

namespace Mesh.NodeAgent.Images;

/// <summary>Registry logins out of image pull secrets (types dockerconfigjson and dockercfg).</summary>
internal static class RegistryCredentials
{
    private const string DefaultRegistry = "docker.io";

    /// <summary>Logins for the image's registry, in the order of the secrets.</summary>
    public static IReadOnlyList<Cri.AuthConfig> For(string image, IEnumerable<Secret> secrets)
    {
        var registry = Registry(image);
        var result = new List<Cri.AuthConfig>();
        foreach (var secret in secrets)
            foreach (var (server, auth) in Entries(secret))
                if (Matches(server, registry))
                    result.Add(auth);
        return result;
    }

    /// <summary>The registry an image name means ("busybox" and "local/x" mean docker.io).</summary>
    public static string Registry(string image)
    {
        var slash = image.IndexOf('/', StringComparison.Ordinal);
        if (slash < 0)
            return DefaultRegistry;
        var first = image[..slash];
        return first.Contains('.', StringComparison.Ordinal) || first.Contains(':', StringComparison.Ordinal) || first == "localhost" ? first : DefaultRegistry;
    }

    /// <summary>The policy that holds when the spec has none: Always for :latest and no tag, else IfNotPresent.</summary>
    public static string DefaultPolicy(string image)
    {
        if (image.Contains('@', StringComparison.Ordinal))
            return "IfNotPresent";
        var name = image[(image.LastIndexOf('/') + 1)..];
        var colon = name.IndexOf(':', StringComparison.Ordinal);
        return colon < 0 || name[(colon + 1)..] == "latest" ? "Always" : "IfNotPresent";
    }

    private static IEnumerable<(string Server, Cri.AuthConfig Auth)> Entries(Secret secret)
    {
        var wrapped = secret.Data?.GetValueOrDefault(".dockerconfigjson");
        var bytes = wrapped ?? secret.Data?.GetValueOrDefault(".dockercfg");
        if (bytes is null)
            yield break;
        JsonDocument json;
        try
        {
            json = JsonDocument.Parse(bytes);
        }
        catch (JsonException)
        {
            yield break;
        }

        using (json)
        {
            var root = json.RootElement;
            if (wrapped is not null && (root.ValueKind != JsonValueKind.Object || !root.TryGetProperty("auths", out root)))
                yield break;
            if (root.ValueKind != JsonValueKind.Object)
                yield break;
            foreach (var entry in root.EnumerateObject())
                yield return (entry.Name, Auth(entry.Name, entry.Value));
        }
    }

    private static Cri.AuthConfig Auth(string server, JsonElement entry)
    {
        string Text(string name) => entry.ValueKind == JsonValueKind.Object && entry.TryGetProperty(name, out var v) && v.ValueKind == JsonValueKind.String ? v.GetString()! : "";
        var (user, password) = (Text("username"), Text("password"));
        if (user.Length == 0 && Text("auth") is { Length: > 0 } encoded)
        {
            var buffer = new byte[encoded.Length];
            if (Convert.TryFromBase64String(encoded, buffer, out var count) && Encoding.UTF8.GetString(buffer, 0, count).Split(':', 2) is [var u, var p])
                (user, password) = (u, p);
        }

        return new Cri.AuthConfig { Username = user, Password = password, IdentityToken = Text("identitytoken"), RegistryToken = Text("registrytoken"), ServerAddress = server };
    }

    private static bool Matches(string server, string registry)
    {
        var host = server.Replace("https://", "", StringComparison.Ordinal).Replace("http://", "", StringComparison.Ordinal).Split('/')[0];
        return host == registry || (registry == DefaultRegistry && host is "index.docker.io" or "registry-1.docker.io")
            || (host.StartsWith("*.", StringComparison.Ordinal) && registry.EndsWith(host[1..], StringComparison.Ordinal));
    }
}
