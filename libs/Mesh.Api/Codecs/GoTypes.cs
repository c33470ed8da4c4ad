using Mesh.Api.Schema;

namespace Mesh.Api.Codecs;

/// <summary>Names and texts by which Kubernetes' own decoders speak of types.</summary>
internal static class GoTypes
{
    /// <summary>"v1.PodSpec".</summary>
    public static string Of(TypeSchema type) => type.Package.Length == 0 ? "map[string]interface {}" : type.Package[(type.Package.LastIndexOf('.') + 1)..] + "." + type.Name;

    /// <summary>"int32", "[]v1.Container", "map[string]string".</summary>
    public static string Of(FieldSchema field) => field.Shape switch
    {
        FieldShape.List => "[]" + Element(field),
        FieldShape.Map => "map[string]" + Element(field),
        _ => Element(field),
    };

    /// <summary>The text itself when it is base64, in its canonical form. Throws DecodeException where it is not.</summary>
    public static string Base64(string text)
    {
        // Go ignores line breaks inside base64.
        var plain = text.AsSpan().IndexOfAny('\r', '\n') < 0 ? text : text.Replace("\r", "", StringComparison.Ordinal).Replace("\n", "", StringComparison.Ordinal);
        for (var i = 0; i < plain.Length; i++)
        {
            var c = plain[i];
            var padding = c == '=' && plain.Length % 4 == 0 && (i == plain.Length - 1 || (i == plain.Length - 2 && plain[^1] == '='));
            if (!char.IsAsciiLetterOrDigit(c) && c is not ('+' or '/') && !padding)
                throw new DecodeException($"illegal base64 data at input byte {i}");
        }

        return plain.Length % 4 == 0 ? plain : throw new DecodeException($"illegal base64 data at input byte {plain.Length / 4 * 4}");
    }

    /// <summary>What Go's time.Parse says of a text that is no RFC 3339 time.</summary>
    public static string TimeError(string text, bool micro)
    {
        var layout = micro ? "2006-01-02T15:04:05.000000Z07:00" : "2006-01-02T15:04:05Z07:00";
        return $"parsing time \"{text}\" as \"{layout}\": cannot parse \"{text}\" as \"2006\"";
    }

    private static string Element(FieldSchema field) => field.Kind switch
    {
        FieldKind.Object => Of(field.Type!),
        FieldKind.Nested => Of(field.Element!),
        FieldKind.Bool => "bool",
        FieldKind.Int32 => "int32",
        FieldKind.Int64 => "int64",
        FieldKind.Double => "float64",
        FieldKind.Bytes => "[]uint8",
        FieldKind.Time => "v1.Time",
        FieldKind.MicroTime => "v1.MicroTime",
        FieldKind.Quantity => "resource.Quantity",
        FieldKind.IntOrString => "intstr.IntOrString",
        FieldKind.RawExtension => "runtime.RawExtension",
        FieldKind.Strings => "[]string",
        _ => "string",
    };
}
