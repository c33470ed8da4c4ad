using System.Text.Json.Nodes;
using Mesh.Api;
using Mesh.Gateway.Registry.Kinds;

namespace Mesh.Gateway.Tests.Kinds;

/// <summary>Base of the tables of rules: an object, what Kubernetes says about it ("" when it takes it).</summary>
public abstract class KindRules
{
    private protected KindHarness Harness { get; } = new();

    /// <summary>Creates an object of kind "group/plural" (or "plural", or "group/version/plural"); the answer's text after "is invalid: ".</summary>
    private protected async Task<string> Create(string kind, string json)
    {
        var (group, version, plural) = Parse(kind);
        try
        {
            await Harness.CreateAsync(group, plural, Whole(json), version);
            return "";
        }
        catch (ApiException e)
        {
            return Reason(e);
        }
    }

    /// <summary>Creates the first, then writes the second over it.</summary>
    private protected async Task<string> Update(string kind, string was, string now)
    {
        var (group, version, plural) = Parse(kind);
        return await Change(kind, await Harness.CreateAsync(group, plural, Whole(was), version), now);
    }

    /// <summary>Writes the text over a stored object.</summary>
    private protected async Task<string> Change(string kind, JsonObject old, string now)
    {
        var (group, version, plural) = Parse(kind);
        try
        {
            await Harness.UpdateAsync(group, plural, Whole(now), old, version);
            return "";
        }
        catch (ApiException e)
        {
            return Reason(e);
        }
    }

    private protected static (string Group, string Version, string Plural) Parse(string kind) => kind.Split('/') switch
    {
        [var plural] => ("", "v1", plural),
        [var group, var plural] => (group, "v1", plural),
        [var group, var version, var plural] => (group, version, plural),
        _ => throw new ArgumentException(kind),
    };

    /// <summary>The object with a name and a uid, unless it says otherwise.</summary>
    private protected static JsonObject Whole(string json)
    {
        var obj = KindHarness.Json(json);
        var meta = obj.Ensure("metadata");
        meta.Default("name", "a");
        meta.Default("uid", "u1");
        return obj;
    }

    private static string Reason(ApiException e)
    {
        const string Mark = " is invalid: ";
        var at = e.Message.IndexOf(Mark, StringComparison.Ordinal);
        return at < 0 ? e.Message : e.Message[(at + Mark.Length)..];
    }
}
