using Microsoft.AspNetCore.Http;

namespace Mesh.Gateway.Http;

/// <summary>The encoding of a body.</summary>
internal enum BodyFormat
{
    /// <summary>application/json.</summary>
    Json,

    /// <summary>application/yaml.</summary>
    Yaml,

    /// <summary>application/vnd.kubernetes.protobuf.</summary>
    Protobuf,
}

/// <summary>The shape objects are served in.</summary>
internal enum ObjectShape
{
    /// <summary>As they are.</summary>
    Full,

    /// <summary>meta.k8s.io/v1 Table.</summary>
    Table,

    /// <summary>Metadata alone.</summary>
    Partial,
}

/// <summary>One media type with its parameters.</summary>
/// <param name="Type">"application/json", lower case.</param>
/// <param name="As">Parameter as, or "".</param>
/// <param name="Group">Parameter g, or "".</param>
/// <param name="Version">Parameter v, or "".</param>
/// <param name="Quality">Parameter q, 1 when absent.</param>
internal readonly record struct MediaRange(string Type, string As, string Group, string Version, double Quality)
{
    /// <summary>The ranges of an Accept header, best first (stable).</summary>
    public static IReadOnlyList<MediaRange> ParseList(string header)
    {
        var list = new List<MediaRange>();
        foreach (var part in header.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)) list.Add(Parse(part));
        return list.Count < 2 ? list : [.. list.OrderByDescending(static r => r.Quality)];
    }

    /// <summary>One media type.</summary>
    public static MediaRange Parse(string text)
    {
        var parts = text.Split(';', StringSplitOptions.TrimEntries);
        var range = new MediaRange(parts[0].ToLowerInvariant(), "", "", "", 1);
        foreach (var parameter in parts.AsSpan(1))
        {
            var equals = parameter.IndexOf('=', StringComparison.Ordinal);
            if (equals < 0) continue;
            var value = parameter[(equals + 1)..].Trim('"');
            range = parameter[..equals].Trim().ToLowerInvariant() switch
            {
                "as" => range with { As = value },
                "g" => range with { Group = value },
                "v" => range with { Version = value },
                "q" => range with { Quality = double.TryParse(value, System.Globalization.CultureInfo.InvariantCulture, out var q) ? q : 1 },
                _ => range,
            };
        }

        return range;
    }
}

/// <summary>How an answer is written.</summary>
/// <param name="Format">Encoding.</param>
/// <param name="Shape">Shape.</param>
/// <param name="Pretty">Indented.</param>
/// <param name="OfLists">With <see cref="ObjectShape.Partial"/>: the name of a list was asked for.</param>
internal readonly record struct Representation(BodyFormat Format, ObjectShape Shape, bool Pretty = false, bool OfLists = false)
{
    /// <summary>Plain JSON, for errors and whoever asks for nothing.</summary>
    public static Representation Json { get; } = new(BodyFormat.Json, ObjectShape.Full);

    /// <summary>The media type for answers; with g, v and as the client asked for a shape only kubectl's table knows, JSON is enough.</summary>
    public string ContentType => Format switch
    {
        BodyFormat.Yaml => "application/yaml",
        BodyFormat.Protobuf => "application/vnd.kubernetes.protobuf",
        _ => "application/json",
    };

    /// <summary>The media type of a watch.</summary>
    public string StreamContentType => Format == BodyFormat.Protobuf ? "application/vnd.kubernetes.protobuf;stream=watch" : "application/json";

    /// <summary>The best of what the client accepts; null when nothing of it can be served.</summary>
    public static Representation? Negotiate(string? accept, bool allowShapes, bool hasProtobuf)
    {
        if (string.IsNullOrWhiteSpace(accept)) return Json;
        foreach (var range in MediaRange.ParseList(accept))
        {
            if (FormatOf(range.Type, hasProtobuf) is not { } found) continue;
            if (range.As.Length == 0) return new Representation(found, ObjectShape.Full);
            if (!allowShapes || range.Group != "meta.k8s.io" || range.Version is not ("v1" or "v1beta1")) continue;
            switch (range.As)
            {
                case "Table" when found != BodyFormat.Protobuf:
                    return new Representation(found, ObjectShape.Table);
                case "PartialObjectMetadata" or "PartialObjectMetadataList":
                    return new Representation(found, ObjectShape.Partial, OfLists: range.As == "PartialObjectMetadataList");
            }
        }

        return null;
    }

    /// <summary>The encoding of a media type or a range of them; null for others than ours.</summary>
    public static BodyFormat? FormatOf(string type, bool hasProtobuf) => type switch
    {
        "application/json" or "*/*" or "application/*" => BodyFormat.Json,
        "application/yaml" => BodyFormat.Yaml,
        "application/vnd.kubernetes.protobuf" when hasProtobuf => BodyFormat.Protobuf,
        _ => null,
    };

    /// <summary>Whether JSON is to be indented: as the parameter says, else for browsers and command line tools, as Kubernetes gives it.</summary>
    public static bool IsPretty(HttpRequest request) => QueryOptions.Flag(request.Query, "pretty") ?? IsReadByPeople(request.Headers.UserAgent.ToString());

    private static bool IsReadByPeople(string agent) =>
        agent.StartsWith("curl", StringComparison.Ordinal) || agent.StartsWith("Wget", StringComparison.Ordinal) || agent.StartsWith("Mozilla/5.0", StringComparison.Ordinal);

    /// <summary>What is said to be acceptable in a 406.</summary>
    public static string[] Offered(bool hasProtobuf) =>
        hasProtobuf ? ["application/json", "application/yaml", "application/vnd.kubernetes.protobuf"] : ["application/json", "application/yaml"];
}
