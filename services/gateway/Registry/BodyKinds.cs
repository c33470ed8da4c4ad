using System.Text;
using Mesh.Api;
using Mesh.Api.Codecs;
using Mesh.Api.Schema;

namespace Mesh.Gateway.Registry;

/// <summary>What bodies say they are, against what is expected of them, in the words of runtime.Scheme.</summary>
internal static class BodyKinds
{
    /// <summary>Where Kubernetes' scheme of built-in kinds is made; part of its message about unknown kinds.</summary>
    private const string Scheme = "pkg/api/legacyscheme/scheme.go:30";
    private const int SummaryBytes = 30;

    /// <summary>Refuses a body of another kind or version than the expected; what it does not say is taken as expected.</summary>
    /// <exception cref="ApiException">400.</exception>
    public static void Check(TypeMeta meta, KindSchema expected)
    {
        var (version, kind) = (meta.ApiVersion.Length > 0 ? meta.ApiVersion : expected.ApiVersion, meta.Kind.Length > 0 ? meta.Kind : expected.Kind);
        if (version == expected.ApiVersion && kind == expected.Kind) return;
        if (Mismatch(version, kind, expected) is { } why)
            throw new ApiException(Statuses.BadRequest($"{kind} in version {GoText.Quote(version[(version.IndexOf('/') + 1)..])} cannot be handled as a {expected.Kind}: {why}"));
        throw new ApiException(Statuses.BadRequest($"the API version in the data ({version}) does not match the expected API version ({expected.ApiVersion})"));
    }

    /// <summary>Why one kind is not read as another; null when it is another version of the expected kind.</summary>
    public static string? Mismatch(string apiVersion, string kind, KindSchema expected)
    {
        var (group, version) = apiVersion.IndexOf('/') is var slash and >= 0 ? (apiVersion[..slash], apiVersion[(slash + 1)..]) : ("", apiVersion);
        if (ApiSchema.Builtin.FindKind(group, version, kind) is null)
            return $"no kind {GoText.Quote(kind)} is registered for version {GoText.Quote(apiVersion)} in scheme {GoText.Quote(Scheme)}";
        return group == expected.Group && kind == expected.Kind
            ? null
            : $"converting ({version}.{kind}) to ({Internal(expected.Group)}.{expected.Kind}): unknown conversion";
    }

    /// <summary>The first bytes of a body that could not be read: text when it looks like JSON, else hexadecimal.</summary>
    public static string Summary(ReadOnlySpan<byte> body)
    {
        if (body.IsEmpty) return "<empty>";
        var head = body.Length > SummaryBytes ? body[..SummaryBytes] : body;
        var text = body[0] == (byte)'{' ? Encoding.UTF8.GetString(head) : Convert.ToHexStringLower(head);
        return body.Length > SummaryBytes ? text + " ..." : text;
    }

    // The package of a group's internal types.
    private static string Internal(string group) => group switch { "" or "events.k8s.io" => "core", _ => group.Split('.')[0] };
}
