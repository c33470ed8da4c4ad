using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Mesh.Api;

/// <summary>What is wrong with a field.</summary>
public enum FieldErrorType
{
    /// <summary>A referenced thing does not exist.</summary>
    NotFound,

    /// <summary>A value must be given.</summary>
    Required,

    /// <summary>A value appears twice.</summary>
    Duplicate,

    /// <summary>A value breaks a rule.</summary>
    Invalid,

    /// <summary>A value is not one of the known ones.</summary>
    NotSupported,

    /// <summary>A value may not be given here.</summary>
    Forbidden,

    /// <summary>A string is too long.</summary>
    TooLong,

    /// <summary>A list is too long.</summary>
    TooMany,

    /// <summary>The check itself failed.</summary>
    Internal,

    /// <summary>A value has the wrong JSON type.</summary>
    TypeInvalid,
}

/// <summary>One violated rule: prints as Kubernetes' field.Error and becomes one cause of a Status.</summary>
/// <param name="Type">What is wrong.</param>
/// <param name="Path">The field.</param>
/// <param name="BadValue">The offending value (string, number, bool, JsonNode); null when there is none, printed as null.</param>
/// <param name="Detail">The rule, in words.</param>
public sealed record FieldError(FieldErrorType Type, FieldPath Path, object? BadValue, string Detail)
{
    private static readonly object Omitted = new();
    private static readonly JsonSerializerOptions Compact = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>The name of the rule, where an object that broke it before a change may go on doing so; null elsewhere. Never printed.</summary>
    public string? Rule { get; init; }

    /// <summary>The word for <see cref="Type"/> in messages.</summary>
    public string TypeText => Type switch
    {
        FieldErrorType.NotFound => "Not found",
        FieldErrorType.Required => "Required value",
        FieldErrorType.Duplicate => "Duplicate value",
        FieldErrorType.Invalid or FieldErrorType.TypeInvalid => "Invalid value",
        FieldErrorType.NotSupported => "Unsupported value",
        FieldErrorType.Forbidden => "Forbidden",
        FieldErrorType.TooLong => "Too long",
        FieldErrorType.TooMany => "Too many",
        _ => "Internal error",
    };

    /// <summary>The machine-readable reason of the Status cause.</summary>
    public string Reason => Type switch
    {
        FieldErrorType.NotFound => "FieldValueNotFound",
        FieldErrorType.Required => "FieldValueRequired",
        FieldErrorType.Duplicate => "FieldValueDuplicate",
        FieldErrorType.Invalid => "FieldValueInvalid",
        FieldErrorType.NotSupported => "FieldValueNotSupported",
        FieldErrorType.Forbidden => "FieldValueForbidden",
        FieldErrorType.TooLong => "FieldValueTooLong",
        FieldErrorType.TooMany => "FieldValueTooMany",
        FieldErrorType.TypeInvalid => "FieldValueTypeInvalid",
        _ => "InternalError",
    };

    /// <summary>The message without the path.</summary>
    public string Body
    {
        get
        {
            var showsValue = Type is not (FieldErrorType.Required or FieldErrorType.Forbidden or FieldErrorType.TooLong or FieldErrorType.Internal);
            var text = showsValue && !ReferenceEquals(BadValue, Omitted) ? TypeText + ": " + (BadValue is null ? "null" : Show(BadValue)) : TypeText;
            return Detail.Length == 0 ? text : text + ": " + Detail;
        }
    }

    /// <summary>A rule is broken.</summary>
    public static FieldError Invalid(FieldPath path, object? value, string detail) => new(FieldErrorType.Invalid, path, value, detail);

    /// <summary>A rule is broken by what is too large or too secret to print.</summary>
    public static FieldError InvalidUnshown(FieldPath path, string detail) => new(FieldErrorType.Invalid, path, Omitted, detail);

    /// <summary>A value is missing.</summary>
    public static FieldError Required(FieldPath path, string detail = "") => new(FieldErrorType.Required, path, null, detail);

    /// <summary>A value appears twice.</summary>
    public static FieldError Duplicate(FieldPath path, object? value) => new(FieldErrorType.Duplicate, path, value, string.Empty);

    /// <summary>A value is not one of <paramref name="supported"/> (printed in the given order).</summary>
    public static FieldError NotSupported(FieldPath path, object? value, params IEnumerable<string> supported)
    {
        var quoted = string.Join(", ", supported.Select(GoText.Quote));
        return new(FieldErrorType.NotSupported, path, value, quoted.Length == 0 ? string.Empty : "supported values: " + quoted);
    }

    /// <summary>A value may not be given here.</summary>
    public static FieldError Forbidden(FieldPath path, string detail) => new(FieldErrorType.Forbidden, path, null, detail);

    /// <summary>A referenced thing does not exist.</summary>
    public static FieldError NotFound(FieldPath path, object? value) => new(FieldErrorType.NotFound, path, value, string.Empty);

    /// <summary>A string exceeds <paramref name="max"/> bytes.</summary>
    public static FieldError TooLong(FieldPath path, int max) =>
        new(FieldErrorType.TooLong, path, null, $"may not be more than {max} {(max == 1 ? "byte" : "bytes")}");

    /// <summary>A list of <paramref name="actual"/> items exceeds <paramref name="max"/>.</summary>
    public static FieldError TooMany(FieldPath path, int actual, int max) =>
        new(FieldErrorType.TooMany, path, actual, $"must have at most {max} {(max == 1 ? "item" : "items")}");

    /// <summary>A value has the wrong JSON type.</summary>
    public static FieldError TypeInvalid(FieldPath path, object? value, string detail) => new(FieldErrorType.TypeInvalid, path, value, detail);

    /// <summary>The check itself failed.</summary>
    public static FieldError Internal(FieldPath path, string detail) => new(FieldErrorType.Internal, path, null, detail);

    /// <summary>All errors in one line, as Kubernetes aggregates them: one alone, several in brackets, doubles once.</summary>
    public static string Aggregate(IReadOnlyList<FieldError> errors)
    {
        var seen = new HashSet<string>(StringComparer.Ordinal);
        var texts = new List<string>(errors.Count);
        foreach (var error in errors)
        {
            var text = error.ToString();
            if (seen.Add(text))
                texts.Add(text);
        }

        return texts.Count == 1 ? texts[0] : "[" + string.Join(", ", texts) + "]";
    }

    /// <summary>path: Type: value: detail.</summary>
    public override string ToString() => Path.ToString() + ": " + Body;

    private static string Show(object value) => value switch
    {
        string text => GoText.Quote(text),
        bool flag => flag ? "true" : "false",
        JsonValue node when node.TryGetValue<string>(out var text) => GoText.Quote(text),
        JsonNode node => node.ToJsonString(Compact),
        IFormattable number => number.ToString(null, CultureInfo.InvariantCulture),
        IEnumerable<string> list => JsonSerializer.Serialize(list, Compact),
        _ => value.ToString() ?? "null",
    };
}
