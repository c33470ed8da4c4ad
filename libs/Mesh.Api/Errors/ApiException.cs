using Mesh.Api.Meta.V1;

namespace Mesh.Api;

/// <summary>A request was refused; carries the Status that the client gets. One mapper at each service's edge turns it into an answer.</summary>
public sealed class ApiException : Exception
{
    /// <summary>A refusal with its Status.</summary>
    public ApiException(Status status)
        : base(status.Message)
    {
        Status = status;
    }

    /// <summary>A refusal with its Status and what led to it.</summary>
    public ApiException(Status status, Exception inner)
        : base(status.Message, inner)
    {
        Status = status;
    }

    /// <summary>The answer.</summary>
    public Status Status { get; }

    /// <summary>HTTP status code.</summary>
    public int Code => Status.Code ?? 500;

    /// <summary>Machine-readable reason ("NotFound"), empty when unknown.</summary>
    public string Reason => Status.Reason ?? string.Empty;

    /// <summary>The object or resource does not exist.</summary>
    public bool IsNotFound => Reason == StatusReason.NotFound || (Reason.Length == 0 && Code == 404);

    /// <summary>The name is taken.</summary>
    public bool IsAlreadyExists => Reason == StatusReason.AlreadyExists;

    /// <summary>The object was changed by somebody else.</summary>
    public bool IsConflict => Reason == StatusReason.Conflict;

    /// <summary>A rule of the kind is broken.</summary>
    public bool IsInvalid => Reason == StatusReason.Invalid;

    /// <summary>The caller may not do this.</summary>
    public bool IsForbidden => Reason == StatusReason.Forbidden;

    /// <summary>The revision or continue token is no longer served: list again.</summary>
    public bool IsExpired => Reason is StatusReason.Expired or StatusReason.Gone || Code == 410;
}
