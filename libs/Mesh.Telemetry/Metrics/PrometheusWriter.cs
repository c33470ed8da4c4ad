using System.Buffers;
using System.Globalization;
using System.Text;

namespace Mesh.Telemetry;

/// <summary>Writes the Prometheus text exposition format, version 0.0.4.</summary>
internal readonly ref struct PrometheusWriter(IBufferWriter<byte> output)
{
    /// <summary>Whether a text is a metric name: <c>[a-zA-Z_:][a-zA-Z0-9_:]*</c>.</summary>
    public static bool IsName(string name)
    {
        if (name.Length == 0 || char.IsAsciiDigit(name[0])) return false;
        foreach (var c in name)
            if (!char.IsAsciiLetterOrDigit(c) && c is not ('_' or ':')) return false;
        return true;
    }

    /// <summary>Labels sorted by name, values escaped.</summary>
    public static string Labels(ReadOnlySpan<KeyValuePair<string, object?>> tags)
    {
        var sorted = tags.ToArray();
        Array.Sort(sorted, static (a, b) => string.CompareOrdinal(a.Key, b.Key));
        var text = new StringBuilder();
        foreach (var (key, value) in sorted)
        {
            if (text.Length > 0) text.Append(',');
            foreach (var c in key) text.Append(char.IsAsciiLetterOrDigit(c) ? c : '_');
            text.Append("=\"");
            foreach (var c in value is bool b ? (b ? "true" : "false") : Convert.ToString(value, CultureInfo.InvariantCulture) ?? "")
            {
                if (c == '\n') text.Append("\\n");
                else if (c is '"' or '\\') text.Append('\\').Append(c);
                else text.Append(c);
            }
            text.Append('"');
        }
        return text.ToString();
    }

    public void Header(string name, string help, MetricKind kind)
    {
        Text("# HELP ");
        Text(name);
        Text(" ");
        Text(help.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\n", "\\n", StringComparison.Ordinal));
        Text("\n# TYPE ");
        Text(name);
        Text(kind switch { MetricKind.Counter => " counter\n", MetricKind.Histogram => " histogram\n", _ => " gauge\n" });
    }

    public void Sample(string name, string suffix, string labels, string? le, double value)
    {
        Text(name);
        Text(suffix);
        if (labels.Length > 0 || le is not null)
        {
            Text("{");
            Text(labels);
            if (le is not null)
            {
                Text(labels.Length > 0 ? ",le=\"" : "le=\"");
                Text(le);
                Text("\"");
            }
            Text("}");
        }
        Text(" ");
        Number(value);
        Text("\n");
    }

    public void Histogram(string name, MetricSeries series, double[] bounds)
    {
        long count = 0;
        for (var i = 0; i < bounds.Length; i++)
        {
            count += series.Bucket(i);
            Sample(name, "_bucket", series.Labels, bounds[i].ToString("R", CultureInfo.InvariantCulture), count);
        }
        count += series.Bucket(bounds.Length);
        Sample(name, "_bucket", series.Labels, "+Inf", count);
        Sample(name, "_sum", series.Labels, null, series.Value);
        Sample(name, "_count", series.Labels, null, count);
    }

    private void Number(double value)
    {
        if (double.IsNaN(value)) Text("NaN");
        else if (double.IsInfinity(value)) Text(value > 0 ? "+Inf" : "-Inf");
        else
        {
            var span = output.GetSpan(32);
            value.TryFormat(span, out var written, "R", CultureInfo.InvariantCulture);
            output.Advance(written);
        }
    }

    private void Text(string text) => Encoding.UTF8.GetBytes(text, output);
}
