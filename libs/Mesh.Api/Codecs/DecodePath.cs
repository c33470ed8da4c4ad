using System.Text;

namespace Mesh.Api.Codecs;

/// <summary>Where a decoder is: field names, map keys and list indexes from the root. Written out only when something is wrong.</summary>
internal sealed class DecodePath
{
    private readonly List<(string? Name, int Index, bool IsField)> segments = [];

    public int Depth => segments.Count;

    public void PushField(string name) => segments.Add((name, 0, true));

    public void PushKey(string name) => segments.Add((name, 0, false));

    public void PushIndex(int index) => segments.Add((null, index, false));

    public void Pop() => segments.RemoveAt(segments.Count - 1);

    /// <summary>"spec.template.spec.containers[0].foo": the form of strict decoding errors.</summary>
    public string Strict(string? last = null)
    {
        var text = new StringBuilder();
        foreach (var (name, index, _) in segments)
        {
            if (name is null)
                text.Append('[').Append(index).Append(']');
            else
                Dotted(text).Append(name);
        }

        return last is null ? text.ToString() : Dotted(text).Append(last).ToString();
    }

    /// <summary>"spec.template.spec.containers.image": field names only, the form of Go's type errors.</summary>
    public string Fields() => string.Join('.', segments.Where(s => s.IsField).Select(s => s.Name));

    private static StringBuilder Dotted(StringBuilder text) => text.Length == 0 ? text : text.Append('.');
}
