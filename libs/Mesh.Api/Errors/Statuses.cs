using Mesh.Api.Meta.V1;

namespace Mesh.Api;

/// <summary>The Status answers of the API, with Kubernetes' codes, reasons, messages and details.</summary>
public static class Statuses
{
    /// <summary>What a writer with an old resourceVersion is told.</summary>
    public const string StaleObject = "the object has been modified; please apply your changes to the latest version and try again";

    /// <summary>The answer of a completed action without an object of its own (DELETE).</summary>
    public static Status Success(string group, string resource, string name, string? uid) => new()
    {
        StatusValue = "Success",
        Details = new() { Name = name, Group = NullIfEmpty(group), Kind = resource, Uid = uid },
    };

    /// <summary>404: no object of that name.</summary>
    public static Status NotFound(string group, string resource, string name) =>
        Failure(404, StatusReason.NotFound, $"{Qualified(group, resource)} {GoText.Quote(name)} not found", group, resource, name);

    /// <summary>404: no object of that name.</summary>
    public static Status NotFound(ApiResource resource, string name) => NotFound(resource.Group, resource.Plural, name);

    /// <summary>404: no such path.</summary>
    public static Status NoSuchResource() => Failure(404, StatusReason.NotFound, "the server could not find the requested resource", new());

    /// <summary>409: the name is taken.</summary>
    public static Status AlreadyExists(string group, string resource, string name) =>
        Failure(409, StatusReason.AlreadyExists, $"{Qualified(group, resource)} {GoText.Quote(name)} already exists", group, resource, name);

    /// <summary>409: the name is taken.</summary>
    public static Status AlreadyExists(ApiResource resource, string name) => AlreadyExists(resource.Group, resource.Plural, name);

    /// <summary>409: a name that the server made up was taken. name: the last that was tried.</summary>
    public static Status GenerateNameConflict(string group, string resource, string name)
    {
        var status = Failure(409, StatusReason.AlreadyExists,
            $"{Qualified(group, resource)} {GoText.Quote(name)} already exists, the server was not able to generate a unique name for the object", group, resource, name);
        status.Details!.RetryAfterSeconds = 1;
        return status;
    }

    /// <summary>409: the change does not fit the object as it is now.</summary>
    public static Status Conflict(string group, string resource, string name, string reason = StaleObject) =>
        Failure(409, StatusReason.Conflict, $"Operation cannot be fulfilled on {Qualified(group, resource)} {GoText.Quote(name)}: {reason}", group, resource, name);

    /// <summary>409: the change does not fit the object as it is now.</summary>
    public static Status Conflict(ApiResource resource, string name, string reason = StaleObject) => Conflict(resource.Group, resource.Plural, name, reason);

    /// <summary>422: rules of the kind are broken, one cause for each.</summary>
    public static Status Invalid(string group, string kind, string name, IReadOnlyList<FieldError> errors)
    {
        var head = $"{Qualified(group, kind)} {GoText.Quote(name)} is invalid";
        var status = Failure(422, StatusReason.Invalid, errors.Count == 0 ? head : head + ": " + FieldError.Aggregate(errors), group, kind, name);
        status.Details!.Causes = [.. errors.Select(e => new StatusCause { Reason = e.Reason, Message = e.Body, Field = e.Path.ToString() })];
        return status;
    }

    /// <summary>422: rules of the kind are broken, one cause for each.</summary>
    public static Status Invalid(ApiResource resource, string name, IReadOnlyList<FieldError> errors) => Invalid(resource.Group, resource.Kind, name, errors);

    /// <summary>422 without fields: a JSON patch that does not apply.</summary>
    public static Status Unprocessable() => Failure(422, StatusReason.Invalid, "the server rejected our request due to an error in our request", new());

    /// <summary>403: who asks may not do this. Resource and name may be empty.</summary>
    public static Status Forbidden(string group, string resource, string name, string reason)
    {
        var message = resource.Length == 0 ? $"forbidden: {reason}"
            : name.Length == 0 ? $"{Qualified(group, resource)} is forbidden: {reason}"
            : $"{Qualified(group, resource)} {GoText.Quote(name)} is forbidden: {reason}";
        return Failure(403, StatusReason.Forbidden, message, group, resource, name);
    }

    /// <summary>401: who asks is not known.</summary>
    public static Status Unauthorized(string message = "Unauthorized") => Failure(401, StatusReason.Unauthorized, message, null);

    /// <summary>400: the request cannot be read.</summary>
    public static Status BadRequest(string message) => Failure(400, StatusReason.BadRequest, message, null);

    /// <summary>405: the resource does not answer the verb.</summary>
    public static Status MethodNotSupported(string group, string resource, string action) =>
        Failure(405, StatusReason.MethodNotAllowed, $"{action} is not supported on resources of kind {GoText.Quote(Qualified(group, resource))}", group, resource, string.Empty);

    /// <summary>405: the path does not answer the method.</summary>
    public static Status MethodNotAllowed() => Failure(405, StatusReason.MethodNotAllowed, "the server does not allow this method on the requested resource", new());

    /// <summary>406: none of the media types the client accepts.</summary>
    public static Status NotAcceptable(params IEnumerable<string> accepted) =>
        Failure(406, StatusReason.NotAcceptable, "only the following media types are accepted: " + string.Join(", ", accepted), null);

    /// <summary>406: the form that was asked for is none of this answer.</summary>
    public static Status NotAcceptableShape(string message) => Failure(406, StatusReason.NotAcceptable, message, null);

    /// <summary>415: the body is in a media type that is not read here.</summary>
    public static Status UnsupportedMediaType(params IEnumerable<string> accepted) =>
        Failure(415, StatusReason.UnsupportedMediaType, "the body of the request was in an unknown format - accepted media types include: " + string.Join(", ", accepted), null);

    /// <summary>413: the body is too large.</summary>
    public static Status RequestEntityTooLarge(string message) => Failure(413, StatusReason.RequestEntityTooLarge, "Request entity too large: " + message, null);

    /// <summary>410: the revision or continue token is no longer there.</summary>
    public static Status Expired(string message) => Failure(410, StatusReason.Expired, message, null);

    /// <summary>410: gone for good.</summary>
    public static Status Gone(string message) => Failure(410, StatusReason.Gone, message, null);

    /// <summary>429: come again later.</summary>
    public static Status TooManyRequests(string message, int retryAfterSeconds) =>
        Failure(429, StatusReason.TooManyRequests, message, Retry(retryAfterSeconds));

    /// <summary>429: an eviction that a disruption budget does not allow now.</summary>
    public static Status DisruptionBudget(string message, string cause) => Failure(429, StatusReason.TooManyRequests, message,
        new() { Causes = [new() { Reason = "DisruptionBudget", Message = cause }] });

    /// <summary>500: the action could not be completed in time.</summary>
    public static Status ServerTimeout(string group, string resource, string operation, int retryAfterSeconds)
    {
        var status = Failure(500, StatusReason.ServerTimeout,
            $"The {operation} operation against {Qualified(group, resource)} could not be completed at this time, please try again.", group, resource, operation);
        status.Details!.RetryAfterSeconds = retryAfterSeconds;
        return status;
    }

    /// <summary>504: the answer took too long.</summary>
    public static Status Timeout(string message, int retryAfterSeconds) => Failure(504, StatusReason.Timeout, "Timeout: " + message, Retry(retryAfterSeconds));

    /// <summary>504: the revision asked for is not reached yet.</summary>
    public static Status TooLargeResourceVersion(ulong requested, ulong current, int retryAfterSeconds)
    {
        var status = Timeout($"Too large resource version: {requested}, current: {current}", retryAfterSeconds);
        status.Details!.Causes = [new() { Reason = "ResourceVersionTooLarge", Message = "Too large resource version" }];
        return status;
    }

    /// <summary>503: not able to serve now.</summary>
    public static Status ServiceUnavailable(string message) => Failure(503, StatusReason.ServiceUnavailable, message, null);

    /// <summary>500: a fault of the server.</summary>
    public static Status InternalError(string message) =>
        Failure(500, StatusReason.InternalError, "Internal error occurred: " + message, new() { Causes = [new() { Message = message }] });

    /// <summary>415 as Kubernetes' router says it, before it looks at what the resource can read.</summary>
    public static Status NotConsumed() => Failure(415, StatusReason.UnsupportedMediaType, "415: Unsupported Media Type", new());

    /// <summary>500 without a reason: how Kubernetes hands out refusals that its own code has no class for.</summary>
    public static Status Unclassified(string message) => new() { StatusValue = "Failure", Message = message, Code = 500 };

    /// <summary>The Status as an exception.</summary>
    public static ApiException ToException(this Status status) => new(status);

    private static string Qualified(string group, string resource) => group.Length == 0 ? resource : resource + "." + group;

    private static string? NullIfEmpty(string text) => text.Length == 0 ? null : text;

    private static StatusDetails? Retry(int seconds) => seconds > 0 ? new() { RetryAfterSeconds = seconds } : new();

    private static Status Failure(int code, string reason, string message, string group, string kind, string name) =>
        Failure(code, reason, message, new() { Name = NullIfEmpty(name), Group = NullIfEmpty(group), Kind = NullIfEmpty(kind) });

    private static Status Failure(int code, string reason, string message, StatusDetails? details) =>
        new() { StatusValue = "Failure", Message = message, Reason = reason, Details = details, Code = code };
}
