using System.Collections;
using System.Globalization;
using System.Net;
using Mesh.Api;

namespace Mesh.Hosting;

/// <summary>Text to the types an option may have.</summary>
internal static class SettingValue
{
    public static bool IsSupported(Type type) =>
        type == typeof(string) || type == typeof(bool) || type.IsEnum || type == typeof(TimeSpan) || type == typeof(Uri) || type == typeof(IPAddress)
        || (type.IsPrimitive && typeof(IConvertible).IsAssignableFrom(type)) || type == typeof(decimal)
        || ItemType(type) is not null || IsDictionary(type);

    /// <exception cref="FormatException">The text does not fit the type.</exception>
    public static object Parse(Type type, IReadOnlyList<string> values)
    {
        if (IsDictionary(type))
        {
            var map = new Dictionary<string, string>(StringComparer.Ordinal);
            foreach (var item in Split(values))
            {
                var equals = item.IndexOf('=');
                if (equals <= 0) throw new FormatException($"\"{item}\" is not of the form key=value");
                map[item[..equals]] = item[(equals + 1)..];
            }
            return map;
        }
        if (ItemType(type) is { } itemType)
        {
            var items = Split(values);
            var array = Array.CreateInstance(itemType, items.Count);
            for (var i = 0; i < items.Count; i++) array.SetValue(ParseOne(itemType, items[i]), i);
            if (type.IsArray || type.IsInterface) return array;
            return Activator.CreateInstance(type, array)!;
        }
        return ParseOne(type, values[^1]);
    }

    public static string Print(object? value) => value switch
    {
        null or "" => "",
        bool b => b ? "true" : "false",
        TimeSpan t => PrintDuration(t),
        string s => s,
        IDictionary map => string.Join(',', map.Keys.Cast<object>().Select(k => $"{k}={map[k]}")),
        IEnumerable list => string.Join(',', list.Cast<object>().Select(Print)),
        IFormattable f => f.ToString(null, CultureInfo.InvariantCulture),
        _ => value.ToString() ?? "",
    };

    /// <summary>A duration as Go writes it (<c>1h2m3.5s</c>, <c>250ms</c>) or as .NET does (<c>00:00:05</c>).</summary>
    /// <exception cref="FormatException">Neither.</exception>
    public static TimeSpan ParseDuration(string text)
    {
        if (text.Contains(':') && TimeSpan.TryParse(text, CultureInfo.InvariantCulture, out var span)) return span;
        return GoDuration.TryParse(text, out var duration, out _) ? duration.ToTimeSpan() : throw new FormatException($"\"{text}\" is no duration (write 30s, 1m30s, 250ms)");
    }

    private static string PrintDuration(TimeSpan t) =>
        t.TotalSeconds < 1 && t > TimeSpan.Zero ? $"{t.TotalMilliseconds.ToString(CultureInfo.InvariantCulture)}ms"
        : t.TotalSeconds % 3600 == 0 && t.TotalHours >= 1 ? $"{t.TotalHours.ToString(CultureInfo.InvariantCulture)}h"
        : t.TotalSeconds % 60 == 0 && t.TotalMinutes >= 1 ? $"{t.TotalMinutes.ToString(CultureInfo.InvariantCulture)}m"
        : $"{t.TotalSeconds.ToString(CultureInfo.InvariantCulture)}s";

    private static object ParseOne(Type type, string text)
    {
        if (type == typeof(string)) return text;
        if (type == typeof(TimeSpan)) return ParseDuration(text);
        if (type == typeof(bool))
        {
            return text.ToLowerInvariant() switch
            {
                "true" or "1" or "yes" => true,
                "false" or "0" or "no" => false,
                _ => throw new FormatException($"\"{text}\" is neither true nor false"),
            };
        }
        if (type == typeof(Uri)) return Uri.TryCreate(text, UriKind.Absolute, out var uri) ? uri : throw new FormatException($"\"{text}\" is no absolute URL");
        if (type == typeof(IPAddress)) return IPAddress.TryParse(text, out var ip) ? ip : throw new FormatException($"\"{text}\" is no IP address");
        if (type.IsEnum)
        {
            foreach (var name in Enum.GetNames(type))
                if (SettingsSource.Normalize(name) == SettingsSource.Normalize(text)) return Enum.Parse(type, name);
            throw new FormatException($"\"{text}\" is none of {string.Join(", ", Enum.GetNames(type).Select(SettingsSection.Kebab))}");
        }
        try
        {
            return Convert.ChangeType(text, type, CultureInfo.InvariantCulture);
        }
        catch (Exception e) when (e is OverflowException or FormatException)
        {
            throw new FormatException($"\"{text}\" is no {type.Name}");
        }
    }

    private static List<string> Split(IReadOnlyList<string> values) =>
        [.. values.SelectMany(v => v.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries))];

    private static Type? ItemType(Type type)
    {
        var item = type.IsArray ? type.GetElementType()
            : type.IsGenericType && type.GetGenericTypeDefinition() is { } g
                && (g == typeof(List<>) || g == typeof(IReadOnlyList<>) || g == typeof(IList<>) || g == typeof(IEnumerable<>) || g == typeof(IReadOnlyCollection<>))
                ? type.GetGenericArguments()[0] : null;
        return item is not null && (item == typeof(string) || item.IsPrimitive || item.IsEnum || item == typeof(IPAddress)) ? item : null;
    }

    private static bool IsDictionary(Type type) =>
        type == typeof(Dictionary<string, string>) || type == typeof(IReadOnlyDictionary<string, string>) || type == typeof(IDictionary<string, string>);
}
