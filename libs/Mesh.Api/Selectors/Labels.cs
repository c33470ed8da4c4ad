using System.Diagnostics.CodeAnalysis;
using System.Text.Json.Nodes;

namespace Mesh.Api.Selectors;

/// <summary>A set of labels or fields to match against.</summary>
public interface ILabels
{
    /// <summary>The value of a key; false when it is absent.</summary>
    bool TryGet(string key, [NotNullWhen(true)] out string? value);
}

/// <summary>Labels of a typed object.</summary>
public readonly struct DictionaryLabels(IReadOnlyDictionary<string, string>? labels) : ILabels
{
    /// <inheritdoc/>
    public bool TryGet(string key, [NotNullWhen(true)] out string? value)
    {
        value = null;
        return labels is not null && labels.TryGetValue(key, out value);
    }
}

/// <summary>Labels of an object held as JSON (the labels object itself, or null).</summary>
public readonly struct JsonLabels(JsonObject? labels) : ILabels
{
    /// <inheritdoc/>
    public bool TryGet(string key, [NotNullWhen(true)] out string? value)
    {
        value = null;
        return labels is not null && labels.TryGetPropertyValue(key, out var node) && node is JsonValue text && text.TryGetValue(out value);
    }
}
