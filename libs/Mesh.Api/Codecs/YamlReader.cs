using YamlDotNet.Core;
using YamlDotNet.Core.Events;

namespace Mesh.Api.Codecs;

/// <summary>A node of a YAML document. An alias is the anchored node itself.</summary>
internal abstract class YamlNode;

/// <summary>Plain or quoted text with its tag ("" when none).</summary>
internal sealed class YamlScalar(string value, string tag, bool plain) : YamlNode
{
    public string Value { get; } = value;

    public string Tag { get; } = tag;

    public bool IsPlain { get; } = plain;
}

/// <summary>A sequence.</summary>
internal sealed class YamlList : YamlNode
{
    public List<YamlNode> Items { get; } = [];
}

/// <summary>A mapping; keys as JSON names them, in the order of their first appearance.</summary>
internal sealed class YamlMap : YamlNode
{
    public OrderedDictionary<string, YamlNode> Entries { get; } = new(StringComparer.Ordinal);

    /// <summary>Mappings named by `&lt;&lt;`: their entries stand where this one has none.</summary>
    public List<YamlNode> Merges { get; } = [];
}

/// <summary>Reads the first document of a YAML stream.</summary>
internal sealed class YamlReader(string text, List<string> duplicates)
{
    private const string StringTag = "tag:yaml.org,2002:str";

    private readonly Parser parser = new(new StringReader(text));
    private readonly Dictionary<string, YamlNode> anchors = [];

    public YamlNode Read()
    {
        while (parser.MoveNext())
        {
            if (parser.Current is DocumentStart)
            {
                parser.MoveNext();
                return Node(0);
            }
        }

        return new YamlScalar("null", "", true);
    }

    private YamlNode Node(int depth)
    {
        if (depth > JsonCodec.MaxDepth)
            throw new DecodeException("yaml: exceeded max depth");
        switch (parser.Current)
        {
            case AnchorAlias alias:
                return anchors.TryGetValue(alias.Value.Value, out var known)
                    ? known
                    : throw new DecodeException($"yaml: unknown anchor '{alias.Value.Value}' referenced");
            case Scalar scalar:
                var tag = scalar.Tag.IsEmpty || scalar.Tag.IsNonSpecific ? "" : scalar.Tag.Value;
                return Remember(scalar.Anchor, new YamlScalar(scalar.Value, tag, scalar.Style == ScalarStyle.Plain));
            case SequenceStart start:
                var list = new YamlList();
                while (parser.MoveNext() && parser.Current is not SequenceEnd)
                    list.Items.Add(Node(depth + 1));

                // Known only when complete: a node that contains itself has no JSON form.
                return Remember(start.Anchor, list);
            case MappingStart start:
                return Remember(start.Anchor, Map(depth));
            default:
                return new YamlScalar("null", "", true);
        }
    }

    private YamlMap Map(int depth)
    {
        var map = new YamlMap();
        while (parser.MoveNext() && parser.Current is not MappingEnd)
        {
            var line = parser.Current!.Start.Line;
            if (Node(depth + 1) is not YamlScalar key)
                throw new DecodeException($"yaml: line {line}: invalid map key");
            parser.MoveNext();
            var value = Node(depth + 1);
            if (key is { IsPlain: true, Value: "<<", Tag: not StringTag })
            {
                AddMerge(map, value, line);
                continue;
            }

            var name = YamlScalars.Key(key);
            if (map.Entries.ContainsKey(name))
                duplicates.Add($"  line {line}: key \"{name}\" already set in map");
            map.Entries[name] = value;
        }

        return map;
    }

    private static void AddMerge(YamlMap map, YamlNode value, long line)
    {
        IEnumerable<YamlNode> sources = value is YamlList list ? list.Items : [value];
        foreach (var source in sources)
            map.Merges.Add(source is YamlMap ? source : throw new DecodeException($"yaml: line {line}: map merge requires map or sequence of maps as the value"));
    }

    private YamlNode Remember(AnchorName anchor, YamlNode node)
    {
        if (!anchor.IsEmpty)
            anchors[anchor.Value] = node;
        return node;
    }
}
