using System.Text.Json;

namespace Mesh.Api.Codecs;

/// <summary>Writes YAML nodes as JSON. Aliases are written out where they stand, within a bound.</summary>
internal sealed class YamlJsonWriter(Utf8JsonWriter writer, int inputLength)
{
    // A document without aliases has fewer nodes than bytes; ten times that is honest use of anchors.
    private readonly long maxNodes = 10_000 + (10L * inputLength);
    private long nodes;

    public void Write(YamlNode node)
    {
        Count();
        switch (node)
        {
            case YamlScalar scalar:
                YamlScalars.Write(writer, scalar);
                break;
            case YamlList list:
                writer.WriteStartArray();
                foreach (var item in list.Items)
                    Write(item);
                writer.WriteEndArray();
                break;
            case YamlMap map:
                writer.WriteStartObject();
                // As from Go's maps: what a decoder objects to comes in this order.
                foreach (var (name, value) in Entries(map).OrderBy(static e => e.Key, StringComparer.Ordinal))
                {
                    writer.WritePropertyName(name);
                    Write(value);
                }

                writer.WriteEndObject();
                break;
        }
    }

    private void Count()
    {
        if (++nodes > maxNodes || writer.BytesCommitted + writer.BytesPending > maxNodes * 4)
            throw new DecodeException("yaml: document contains excessive aliasing");
    }

    private IEnumerable<KeyValuePair<string, YamlNode>> Entries(YamlMap map)
    {
        if (map.Merges.Count == 0)
            return map.Entries;
        var merged = new OrderedDictionary<string, YamlNode>(StringComparer.Ordinal);
        foreach (var entry in map.Entries)
            merged[entry.Key] = entry.Value;
        foreach (var source in map.Merges)
        {
            foreach (var (name, value) in Entries((YamlMap)source))
            {
                Count();
                merged.TryAdd(name, value);
            }
        }

        return merged;
    }
}
