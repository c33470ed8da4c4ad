using System.Globalization;
using Mesh.Api;

namespace Mesh.Gateway.Registry.Kinds.Workloads;

/// <summary>Indexes of a job as text: "1,3-5,7", rising, each below the completions.</summary>
internal static class IndexIntervals
{
    /// <summary>How many indexes the text names, or what is wrong with it.</summary>
    public static (int Count, string? Problem) Count(string text, long completions)
    {
        if (text.Length == 0)
            return (0, null);
        var (total, last) = (0, -1L);
        foreach (var interval in text.Split(','))
        {
            var ends = interval.Split('-');
            if (ends.Length > 2)
                return (0, $"the fragment {GoText.Quote(interval)} violates the requirement that an index interval can have at most two parts separated by '-'");
            var (first, problem) = Index(ends[0], completions);
            if (problem is not null)
                return (0, problem);
            if (last >= first)
                return (0, $"non-increasing order, previous: {last}, current: {first}");
            last = first;
            if (ends.Length == 2)
            {
                (last, problem) = Index(ends[1], completions);
                if (problem is not null)
                    return (0, problem);
                if (first >= last)
                    return (0, $"non-increasing order, previous: {first}, current: {last}");
            }

            total += (int)(last - first) + 1;
        }

        return (total, null);
    }

    private static (long Index, string? Problem) Index(string text, long completions)
    {
        if (!long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var index))
            return (0, $"cannot convert string to integer for index: {GoText.Quote(text)}");
        return index >= completions ? (0, $"too large index: {GoText.Quote(text)}") : (index, null);
    }
}
