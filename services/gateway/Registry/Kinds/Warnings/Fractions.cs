using System.Text.Json.Nodes;
using Mesh.Api;

namespace Mesh.Gateway.Registry.Kinds.Warnings;

/// <summary>Amounts of bytes that are no whole number.</summary>
internal static class Fractions
{
    /// <summary>Looks at the named amounts of a list of resources.</summary>
    public static IEnumerable<string> Of(FieldPath path, JsonObject? amounts, params string[] names) =>
        from name in names
        where Quantity.TryParse(amounts.Str(name), out var amount) && amount.MilliValue % 1000 != 0
        select $"{path.Key(name)}: fractional byte value {GoText.Quote(Quantity.Canonicalize(amounts.Str(name)))} is invalid, must be an integer";
}
