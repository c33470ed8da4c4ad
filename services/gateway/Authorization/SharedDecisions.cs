using System.Text.Json;
using Mesh.Caching;

namespace Mesh.Gateway.Authorization;

/// <summary>RBAC decisions that gateways share: the key holds the whole question and the fingerprint of the policy it was decided by.</summary>
internal sealed class SharedDecisions(ISharedCache cache, TimeProvider time)
{
    private static readonly TimeSpan Lifetime = TimeSpan.FromMinutes(5);
    private readonly SharedAnswers<Decision> answers = new("decision", cache, Lifetime, Write, Read, time);

    /// <summary>What the policy says.</summary>
    public async ValueTask<AuthorizationResult> DecideAsync(RbacPolicy policy, AuthorizationAttributes attributes, CancellationToken ct) => (await answers.GetAsync(
        (policy, attributes),
        static q => KeyOf(q.policy, q.attributes),
        static (q, _) => new ValueTask<Decision?>(new Decision(q.policy.Authorize(q.attributes.User, RbacJson.ToRequest(q.attributes)))),
        null,
        ct))!.Result;

    private static string KeyOf(RbacPolicy policy, AuthorizationAttributes a) => SharedKey.Of(
        [policy.Fingerprint, a.User.Name, a.Verb, a.Group, a.Resource, a.Subresource, a.Namespace, a.Name, a.IsResourceRequest ? "resource" : "path", a.Path, .. a.User.Groups]);

    private static byte[] Write(Decision decision)
    {
        var result = decision.Result;
        return JsonSerializer.SerializeToUtf8Bytes([result.Decision.ToString(), result.Reason, result.EvaluationError ?? ""], StringsJson.Default.StringArray);
    }

    private static Decision? Read(byte[] bytes)
    {
        try
        {
            return JsonSerializer.Deserialize(bytes, StringsJson.Default.StringArray) is [var word, var reason, var error] && Enum.TryParse<AuthorizationDecision>(word, out var decision)
                ? new Decision(new AuthorizationResult(decision, reason, error.Length > 0 ? error : null))
                : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    private sealed record Decision(AuthorizationResult Result);
}

/// <summary>Lists of texts as JSON, without reflection.</summary>
[System.Text.Json.Serialization.JsonSerializable(typeof(string[]))]
internal sealed partial class StringsJson : System.Text.Json.Serialization.JsonSerializerContext;
