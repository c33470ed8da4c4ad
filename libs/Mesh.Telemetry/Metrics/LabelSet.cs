namespace Mesh.Telemetry;

/// <summary>The labels of a measurement in the order given, as a key.</summary>
internal readonly struct LabelSet(KeyValuePair<string, object?>[] tags)
{
    public ReadOnlySpan<KeyValuePair<string, object?>> Tags => tags;
}

/// <summary>Compares labels with stored ones, and a measurement's span with them, without copying.</summary>
internal sealed class LabelSetComparer : IEqualityComparer<LabelSet>, IAlternateEqualityComparer<ReadOnlySpan<KeyValuePair<string, object?>>, LabelSet>
{
    public static readonly LabelSetComparer Instance = new();

    public bool Equals(LabelSet x, LabelSet y) => Equals(x.Tags, y);

    public int GetHashCode(LabelSet obj) => GetHashCode(obj.Tags);

    public bool Equals(ReadOnlySpan<KeyValuePair<string, object?>> alternate, LabelSet other)
    {
        var tags = other.Tags;
        if (alternate.Length != tags.Length) return false;
        for (var i = 0; i < tags.Length; i++)
            if (alternate[i].Key != tags[i].Key || !Equals(alternate[i].Value, tags[i].Value)) return false;
        return true;
    }

    public int GetHashCode(ReadOnlySpan<KeyValuePair<string, object?>> alternate)
    {
        var hash = default(HashCode);
        foreach (var (key, value) in alternate)
        {
            // Keys are few and the same everywhere: their lengths spread enough, the values do the rest.
            hash.Add(key.Length);
            hash.Add(value);
        }
        return hash.ToHashCode();
    }

    public LabelSet Create(ReadOnlySpan<KeyValuePair<string, object?>> alternate) => new(alternate.ToArray());
}
