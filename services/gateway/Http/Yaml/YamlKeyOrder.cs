using System.Numerics;
using System.Text.Json.Nodes;

namespace Mesh.Gateway.Http.Yaml;

/// <summary>
/// The order of keys in Kubernetes' YAML: letters after everything else, runs of digits by their number, the rest by code point. It goes round in circles for a
/// few (01 before 0a before 1 before 1.5 before 01), so no sorting that relies on an order will do.
/// </summary>
internal static class YamlKeyOrder
{
    // Up to here the outcome is Kubernetes' own even in a circle.
    private const int Few = 12;

    /// <summary>The members of an object in order.</summary>
    public static KeyValuePair<string, JsonNode?>[] Sort(JsonObject map)
    {
        var sorted = map.ToArray();
        if (sorted.Length > Few) Merge(sorted, new KeyValuePair<string, JsonNode?>[sorted.Length]);
        else Insert(sorted);
        return sorted;
    }

    /// <summary>Negative when the first comes before the second.</summary>
    public static int Compare(string x, string y)
    {
        var shorter = Math.Min(x.Length, y.Length);
        for (var i = 0; i < shorter; i++)
        {
            var (a, b) = (x[i], y[i]);
            if (a == b) continue;
            var (letterA, letterB) = (char.IsLetter(a) || char.IsSurrogate(a), char.IsLetter(b) || char.IsSurrogate(b));
            if (letterA || letterB) return letterA && letterB ? a.CompareTo(b) : letterA ? 1 : -1;
            // Zeros within a number are digits like others, those before it are not.
            var within = (a == '0' || b == '0') && IsWithinNumber(x, i) ? BigInteger.One : BigInteger.Zero;
            var ((numberA, endA), (numberB, endB)) = (Number(x, i, within), Number(y, i, within));
            return numberA != numberB ? numberA.CompareTo(numberB) : endA != endB ? endA.CompareTo(endB) : a.CompareTo(b);
        }

        return x.Length.CompareTo(y.Length);
    }

    private static void Insert(Span<KeyValuePair<string, JsonNode?>> items)
    {
        for (var i = 1; i < items.Length; i++)
        {
            for (var j = i; j > 0 && Compare(items[j].Key, items[j - 1].Key) < 0; j--) (items[j], items[j - 1]) = (items[j - 1], items[j]);
        }
    }

    private static void Merge(Span<KeyValuePair<string, JsonNode?>> items, Span<KeyValuePair<string, JsonNode?>> room)
    {
        if (items.Length <= Few)
        {
            Insert(items);
            return;
        }

        var half = items.Length / 2;
        Merge(items[..half], room[..half]);
        Merge(items[half..], room[half..]);
        items.CopyTo(room);
        var (left, right) = (0, half);
        for (var i = 0; i < items.Length; i++)
            items[i] = right == items.Length || (left < half && Compare(room[left].Key, room[right].Key) <= 0) ? room[left++] : room[right++];
    }

    private static bool IsWithinNumber(string text, int at)
    {
        for (var i = at - 1; i >= 0 && char.IsAsciiDigit(text[i]); i--)
        {
            if (text[i] != '0') return true;
        }

        return false;
    }

    private static (BigInteger Value, int End) Number(string text, int at, BigInteger value)
    {
        for (; at < text.Length && char.IsAsciiDigit(text[at]); at++) value = (value * 10) + (text[at] - '0');
        return (value, at);
    }
}
