using System.Text.Json.Nodes;

namespace Mesh.Gateway.Authorization;

/// <summary>Label selectors as objects carry them (matchLabels, matchExpressions), on JSON.</summary>
internal static class LabelMatch
{
    /// <summary>Whether the labels match; an empty selector matches everything.</summary>
    public static bool Matches(JsonNode? selector, JsonNode? labels)
    {
        if (selector.At("matchLabels") is JsonObject wanted)
        {
            foreach (var (key, value) in wanted)
            {
                if (labels.At(key) is not { } found || found.Text() != value.Text()) return false;
            }
        }

        foreach (var expression in selector.Objects("matchExpressions"))
        {
            var present = labels.At(expression.Text("key")) is not null;
            var among = present && expression.Texts("values").Contains(labels.Text(expression.Text("key")));
            var good = expression.Text("operator") switch
            {
                "In" => among,
                "NotIn" => !among,
                "Exists" => present,
                "DoesNotExist" => !present,
                _ => false,
            };
            if (!good) return false;
        }

        return true;
    }
}
