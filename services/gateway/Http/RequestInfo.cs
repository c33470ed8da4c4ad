namespace Mesh.Gateway.Http;

/// <summary>What a request line asks for, before anything is looked up (request.RequestInfo of the field).</summary>
internal sealed record RequestInfo
{
    /// <summary>True for /api/VERSION/... and /apis/GROUP/VERSION/... paths that name a resource.</summary>
    public bool IsResource { get; private init; }

    /// <summary>get, list, watch, create, update, patch, delete, deletecollection; the lower-case method for other paths.</summary>
    public string Verb { get; private init; } = "";

    /// <summary>API group, "" for core.</summary>
    public string Group { get; private init; } = "";

    /// <summary>API version.</summary>
    public string Version { get; private init; } = "";

    /// <summary>Namespace, "" for none. A namespace object is in itself.</summary>
    public string Namespace { get; private init; } = "";

    /// <summary>Plural resource.</summary>
    public string Resource { get; private init; } = "";

    /// <summary>Object name or "".</summary>
    public string Name { get; private init; } = "";

    /// <summary>Subresource or "".</summary>
    public string Subresource { get; private init; } = "";

    /// <summary>What comes after the subresource (proxy), without a leading slash.</summary>
    public string Rest { get; private init; } = "";

    /// <summary>The path as sent.</summary>
    public string Path { get; private init; } = "";

    /// <summary>True when a segment of the path before <see cref="Rest"/> is empty (but a namespace: that is all of them), "." or "..": nothing has such a name.</summary>
    public bool HasNoName { get; private init; }

    /// <summary>Reads a request line. watch: the query says watch=true.</summary>
    public static RequestInfo Parse(string method, string path, bool watch)
    {
        var other = new RequestInfo { Verb = method.ToLowerInvariant(), Path = path };
        // Slashes at the end do not count, two at the begin are no path of ours.
        if (path.StartsWith("//", StringComparison.Ordinal)) return other;
        var parts = path.Trim('/').Split('/');
        var at = parts switch
        {
            ["api", _, _, ..] => 1,
            ["apis", not "", _, _, ..] => 2,
            _ => 0,
        };
        if (at == 0) return other;
        var (group, version) = at == 1 ? ("", parts[1]) : (parts[1], parts[2]);
        var rest = parts.AsSpan(at + 1);
        var legacyWatch = rest[0] == "watch" && rest.Length > 1;
        if (legacyWatch) rest = rest[1..];
        var (ns, resource, name, sub, tail) = Split(rest);
        if (tail.Length > 0 && path.EndsWith('/')) tail += '/';
        return other with
        {
            IsResource = true,
            Group = group,
            Version = version,
            Namespace = ns,
            Resource = resource,
            Name = name,
            Subresource = sub,
            Rest = tail,
            HasNoName = resource.Length == 0 || (name.Length == 0 && sub.Length > 0) || (sub.Length == 0 && tail.Length > 0)
                || new[] { ns, resource, name, sub }.Any(static s => s is "." or ".."),
            Verb = VerbOf(method, name.Length > 0, watch || legacyWatch, legacyWatch),
        };
    }

    private static (string Namespace, string Resource, string Name, string Subresource, string Tail) Split(ReadOnlySpan<string> parts)
    {
        var ns = "";
        if (parts[0] == "namespaces" && parts.Length > 1)
        {
            ns = parts[1];
            if (parts.Length == 2) return (ns, "namespaces", ns, "", "");
            // A namespace's own subresources; everything else lives in it.
            if (parts.Length == 3 && parts[2] is "status" or "finalize") return (ns, "namespaces", ns, parts[2], "");
            parts = parts[2..];
        }

        return (
            ns,
            parts[0],
            parts.Length > 1 ? parts[1] : "",
            parts.Length > 2 ? parts[2] : "",
            parts.Length > 3 ? string.Join('/', parts[3..].ToArray()) : "");
    }

    private static string VerbOf(string method, bool named, bool watch, bool legacyWatch) => method switch
    {
        "GET" or "HEAD" => legacyWatch || (watch && !named) ? "watch" : named ? "get" : "list",
        "POST" => "create",
        "PUT" => "update",
        "PATCH" => "patch",
        "DELETE" => named ? "delete" : "deletecollection",
        _ => "",
    };
}
