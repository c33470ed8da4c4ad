using Mesh.Security;

namespace Mesh.Gateway.Authorization;

/// <summary>What somebody wants to do.</summary>
internal sealed record AuthorizationAttributes
{
    /// <summary>Who.</summary>
    public required UserInfo User { get; init; }

    /// <summary>API verb (get, list, watch, create, update, patch, delete, deletecollection, proxy, impersonate, bind, …) or the lower-case HTTP method for paths.</summary>
    public required string Verb { get; init; }

    /// <summary>False for paths outside the API (/healthz, /version).</summary>
    public bool IsResourceRequest { get; init; } = true;

    /// <summary>API group, "" for the core group.</summary>
    public string Group { get; init; } = "";

    /// <summary>API version.</summary>
    public string Version { get; init; } = "";

    /// <summary>Plural resource name.</summary>
    public string Resource { get; init; } = "";

    /// <summary>Subresource or "".</summary>
    public string Subresource { get; init; } = "";

    /// <summary>Namespace, "" for cluster-wide.</summary>
    public string Namespace { get; init; } = "";

    /// <summary>Object name, "" when not about one object.</summary>
    public string Name { get; init; } = "";

    /// <summary>URL path of a request outside the API.</summary>
    public string Path { get; init; } = "";

    /// <summary>Field selector of a list, watch or deletecollection.</summary>
    public string FieldSelector { get; init; } = "";

    /// <summary>Label selector of a list, watch or deletecollection.</summary>
    public string LabelSelector { get; init; } = "";
}

/// <summary>An authorizer's word.</summary>
internal enum AuthorizationDecision
{
    /// <summary>Ask the next one; nobody allowing means no.</summary>
    NoOpinion,

    /// <summary>Yes.</summary>
    Allow,

    /// <summary>No, whatever others say.</summary>
    Deny,
}

/// <summary>Decision and the reason that is shown.</summary>
internal readonly record struct AuthorizationResult(AuthorizationDecision Decision, string Reason = "", string? EvaluationError = null)
{
    /// <summary>Whether the request may go on.</summary>
    public bool Allowed => Decision == AuthorizationDecision.Allow;
}

/// <summary>Decides whether a user may do something.</summary>
internal interface IAuthorizer
{
    /// <summary>The decision.</summary>
    ValueTask<AuthorizationResult> AuthorizeAsync(AuthorizationAttributes attributes, CancellationToken ct);
}
