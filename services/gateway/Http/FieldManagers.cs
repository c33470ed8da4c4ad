using System.Globalization;
using System.Text;
using Mesh.Api;
using Microsoft.AspNetCore.Http;

namespace Mesh.Gateway.Http;

/// <summary>Who a writer is in managedFields: who it says it is, else the first word of its user agent. An applier must say it.</summary>
internal static class FieldManagers
{
    private const int MaxBytes = 128;
    private const string Apply = "application/apply-patch+yaml";

    /// <summary>The manager of a request; "" when an applier does not say.</summary>
    /// <exception cref="ApiException">422 when it is too long or cannot be printed.</exception>
    public static string Of(string asked, string verb, HttpRequest request)
    {
        if (asked.Length > 0)
        {
            Check(asked, verb);
            return asked;
        }

        var applies = verb == "patch" && request.ContentType?.StartsWith(Apply, StringComparison.OrdinalIgnoreCase) == true;
        return applies ? "" : FromUserAgent(request.Headers.UserAgent.ToString());
    }

    private static string FromUserAgent(string agent)
    {
        var slash = agent.IndexOf('/', StringComparison.Ordinal);
        var word = slash < 0 ? agent : agent[..slash];
        if (Encoding.UTF8.GetByteCount(word) <= MaxBytes && !word.Any(IsUnprintable)) return word;
        var kept = new StringBuilder();
        var bytes = 0;
        foreach (var rune in word.EnumerateRunes())
        {
            if (IsUnprintable(rune)) continue;
            bytes += rune.Utf8SequenceLength;
            if (bytes > MaxBytes) break;
            kept.Append(rune.ToString());
        }

        return kept.ToString();
    }

    private static void Check(string manager, string verb)
    {
        var errors = new List<FieldError>();
        if (Encoding.UTF8.GetByteCount(manager) > MaxBytes) errors.Add(FieldError.TooLong("fieldManager", MaxBytes));
        var at = 0;
        foreach (var rune in manager.EnumerateRunes())
        {
            if (IsUnprintable(rune)) errors.Add(FieldError.Invalid("fieldManager", manager, $"invalid character U+{rune.Value:X4} (at position {at})"));
            at += rune.Utf8SequenceLength;
        }

        if (errors.Count == 0) return;
        throw new ApiException(Statuses.Invalid("meta.k8s.io", QueryOptions.Kind(verb), "", errors));
    }

    private static bool IsUnprintable(char c) => !char.IsSurrogate(c) && IsUnprintable(new Rune(c));

    // Go's unicode.IsPrint: letters, marks, numbers, punctuation, symbols and the space.
    private static bool IsUnprintable(Rune rune) => rune.Value != ' ' && Rune.GetUnicodeCategory(rune) is
        UnicodeCategory.Control or UnicodeCategory.Format or UnicodeCategory.Surrogate or UnicodeCategory.PrivateUse or UnicodeCategory.OtherNotAssigned
        or UnicodeCategory.SpaceSeparator or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator;
}
