using System.Globalization;
using System.Text;

namespace Mesh.Controllers.Jobs;

/// <summary>Completion indexes as a job's status writes them: "1,3-5,7"; two neighbours are "3,4".</summary>
internal static class IndexSet
{
    /// <summary>Reads the text; what is no number or not below the limit is left out.</summary>
    internal static SortedSet<int> Parse(string? text, int limit)
    {
        var set = new SortedSet<int>();
        foreach (var part in (text ?? "").Split(',', StringSplitOptions.RemoveEmptyEntries))
        {
            var ends = part.Split('-');
            if (!int.TryParse(ends[0], NumberStyles.None, CultureInfo.InvariantCulture, out var first)) continue;
            var last = first;
            if (ends.Length == 2 && !int.TryParse(ends[1], NumberStyles.None, CultureInfo.InvariantCulture, out last)) continue;
            for (var i = first; i <= last && i < limit; i++) set.Add(i);
        }

        return set;
    }

    /// <summary>Writes the set.</summary>
    internal static string Format(SortedSet<int> set)
    {
        var text = new StringBuilder();
        int? first = null;
        var last = 0;
        foreach (var index in set)
        {
            if (first is not null && index == last + 1)
            {
                last = index;
                continue;
            }

            Close();
            (first, last) = (index, index);
        }

        Close();
        return text.ToString();

        void Close()
        {
            if (first is not { } from) return;
            if (text.Length > 0) text.Append(',');
            text.Append(from);
            if (last > from) text.Append(last == from + 1 ? ',' : '-').Append(last);
        }
    }
}
