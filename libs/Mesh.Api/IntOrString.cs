using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Mesh.Api;

/// <summary>A number or a string, as port names and percentages are: 80, "http", "25%".</summary>
public readonly struct IntOrString : IEquatable<IntOrString>
{
    private readonly string? text;
    private readonly int number;

    /// <summary>A number.</summary>
    public IntOrString(int value) => number = value;

    /// <summary>A string.</summary>
    public IntOrString(string value) => text = value;

    /// <summary>True when the value is a string.</summary>
    public bool IsString => text is not null;

    /// <summary>The number; a string that is a decimal number counts as it, any other string is 0.</summary>
    public int IntValue => text is null ? number
        : int.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var parsed) ? parsed : 0;

    /// <summary>The string, or null for a number.</summary>
    public string? StringValue => text;

    /// <summary>A number.</summary>
    public static implicit operator IntOrString(int value) => new(value);

    /// <summary>A string.</summary>
    public static implicit operator IntOrString(string value) => new(value);

    /// <summary>Same kind, same value.</summary>
    public static bool operator ==(IntOrString a, IntOrString b) => a.Equals(b);

    /// <summary>Another kind or value.</summary>
    public static bool operator !=(IntOrString a, IntOrString b) => !a.Equals(b);

    /// <summary>A decimal number becomes a number, everything else a string.</summary>
    public static IntOrString Parse(string text) =>
        int.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number) ? new(number) : new(text);

    /// <summary>Reads the current JSON token (number or string). Throws JsonException for anything else.</summary>
    public static IntOrString ReadJson(ref Utf8JsonReader reader) => reader.TokenType switch
    {
        JsonTokenType.Number when reader.TryGetInt32(out var number) => new(number),
        JsonTokenType.String => new(reader.GetString()!),
        JsonTokenType.Null => default,
        _ => throw new JsonException("json: cannot unmarshal value into Go value of type intstr.IntOrString"),
    };

    /// <summary>Reads a JSON node; null when it is absent or neither a number nor a string.</summary>
    public static IntOrString? FromNode(JsonNode? node)
    {
        if (node is not JsonValue value)
            return null;
        if (value.TryGetValue<int>(out var number))
            return new(number);
        if (value.TryGetValue<long>(out var wide) && wide is >= int.MinValue and <= int.MaxValue)
            return new((int)wide);
        return value.TryGetValue<string>(out var text) ? new(text) : null;
    }

    /// <summary>Writes the value as a JSON number or string.</summary>
    public void WriteJson(Utf8JsonWriter writer)
    {
        if (text is null)
            writer.WriteNumberValue(number);
        else
            writer.WriteStringValue(text);
    }

    /// <summary>The value as a JSON node.</summary>
    public JsonNode ToNode() => text is null ? JsonValue.Create(number) : JsonValue.Create(text)!;

    /// <summary>
    /// The number itself, or the percentage of <paramref name="total"/>, rounded up or down. Throws FormatException when a
    /// string is no percentage.
    /// </summary>
    public int GetScaledValue(int total, bool roundUp)
    {
        if (text is null)
            return number;
        if (!TryGetPercent(out var percent))
            throw new FormatException($"invalid value for IntOrString: invalid type: string is not a percentage");
        var product = (long)percent * total;
        return (int)(roundUp ? (product + 99) / 100 : product / 100);
    }

    /// <summary>True for a string such as "25%"; gives the number before the sign.</summary>
    public bool TryGetPercent(out int percent)
    {
        percent = 0;
        return text is [.., '%'] && int.TryParse(text.AsSpan(0, text.Length - 1), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out percent);
    }

    /// <inheritdoc/>
    public bool Equals(IntOrString other) => text == other.text && number == other.number;

    /// <inheritdoc/>
    public override bool Equals(object? obj) => obj is IntOrString other && Equals(other);

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(text, number);

    /// <summary>The number in digits or the string as it is.</summary>
    public override string ToString() => text ?? number.ToString(CultureInfo.InvariantCulture);
}
