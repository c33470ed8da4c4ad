using Mesh.Security;

namespace Mesh.Gateway.Authorization;

/// <summary>Asks authorizers in their order; the first that allows or denies has said it. Members of system:masters may do everything.</summary>
internal sealed class AuthorizerChain(params IReadOnlyList<IAuthorizer> authorizers) : IAuthorizer
{
    /// <inheritdoc/>
    public async ValueTask<AuthorizationResult> AuthorizeAsync(AuthorizationAttributes attributes, CancellationToken ct)
    {
        if (attributes.User.InGroup(UserNames.Masters)) return new AuthorizationResult(AuthorizationDecision.Allow);
        List<string>? reasons = null;
        string? error = null;
        for (var i = 0; i < authorizers.Count; i++)
        {
            var result = await authorizers[i].AuthorizeAsync(attributes, ct);
            if (result.Decision != AuthorizationDecision.NoOpinion) return result;
            if (result.Reason is { Length: > 0 }) (reasons ??= []).Add(result.Reason);
            error ??= result.EvaluationError;
        }

        return new AuthorizationResult(AuthorizationDecision.NoOpinion, reasons is null ? "" : string.Join('\n', reasons), error);
    }
}
