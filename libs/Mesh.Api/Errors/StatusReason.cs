namespace Mesh.Api;

/// <summary>The machine-readable reasons of Status (metav1.StatusReason).</summary>
public static class StatusReason
{
    /// <summary>401.</summary>
    public const string Unauthorized = "Unauthorized";

    /// <summary>403.</summary>
    public const string Forbidden = "Forbidden";

    /// <summary>404.</summary>
    public const string NotFound = "NotFound";

    /// <summary>409, the name is taken.</summary>
    public const string AlreadyExists = "AlreadyExists";

    /// <summary>409, changed by somebody else.</summary>
    public const string Conflict = "Conflict";

    /// <summary>410, for good.</summary>
    public const string Gone = "Gone";

    /// <summary>422.</summary>
    public const string Invalid = "Invalid";

    /// <summary>500, try again.</summary>
    public const string ServerTimeout = "ServerTimeout";

    /// <summary>504.</summary>
    public const string Timeout = "Timeout";

    /// <summary>429.</summary>
    public const string TooManyRequests = "TooManyRequests";

    /// <summary>400.</summary>
    public const string BadRequest = "BadRequest";

    /// <summary>405.</summary>
    public const string MethodNotAllowed = "MethodNotAllowed";

    /// <summary>406.</summary>
    public const string NotAcceptable = "NotAcceptable";

    /// <summary>413.</summary>
    public const string RequestEntityTooLarge = "RequestEntityTooLarge";

    /// <summary>415.</summary>
    public const string UnsupportedMediaType = "UnsupportedMediaType";

    /// <summary>500.</summary>
    public const string InternalError = "InternalError";

    /// <summary>410, the revision or token is too old.</summary>
    public const string Expired = "Expired";

    /// <summary>503.</summary>
    public const string ServiceUnavailable = "ServiceUnavailable";
}
