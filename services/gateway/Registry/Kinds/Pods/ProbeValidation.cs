using System.Text.Json.Nodes;
using Mesh.Api;

namespace Mesh.Gateway.Registry.Kinds.Pods;

/// <summary>Rules of probes and lifecycle hooks.</summary>
internal static class ProbeValidation
{
    private static readonly string[] ProbeHandlers = ["exec", "httpGet", "tcpSocket", "grpc"];
    private static readonly string[] HookHandlers = ["exec", "httpGet", "tcpSocket", "sleep"];
    private static readonly string[] Numbers = ["initialDelaySeconds", "timeoutSeconds", "periodSeconds", "successThreshold", "failureThreshold"];

    /// <summary>A probe; only a readiness probe may ask for several successes, and only the others may shorten the end of the pod.</summary>
    public static void Probe(List<FieldError> errors, FieldPath path, JsonObject? probe, bool readiness)
    {
        if (probe is null)
            return;
        Handler(errors, path, probe, ProbeHandlers, null);
        foreach (var field in Numbers)
        {
            if (probe.Num(field) < 0)
                errors.NonNegative(path.Child(field), probe.Num(field));
        }

        if (probe.Num("terminationGracePeriodSeconds") is { } grace)
        {
            if (grace <= 0)
                errors.Add(FieldError.Invalid(path.Child("terminationGracePeriodSeconds"), grace, "must be greater than 0"));
            if (readiness)
                errors.Add(FieldError.Invalid(path.Child("terminationGracePeriodSeconds"), grace, "must not be set for readinessProbes"));
        }

        if (!readiness && probe.Num("successThreshold") is { } times && times != 1)
            errors.Add(FieldError.Invalid(path.Child("successThreshold"), times, "must be 1"));
    }

    /// <summary>A lifecycle hook; a sleep fits into the pod's grace period.</summary>
    public static void Hook(List<FieldError> errors, FieldPath path, JsonObject? hook, long? gracePeriod)
    {
        if (hook is not null)
            Handler(errors, path, hook, HookHandlers, gracePeriod);
    }

    /// <summary>A port by number or by name.</summary>
    internal static void Port(List<FieldError> errors, FieldPath path, IntOrString? port)
    {
        if (port is not { } given)
            errors.Rules(path, 0, Names.PortNumber(0));
        else if (given.IsString)
            errors.Rules(path, given.StringValue, Names.PortName(given.StringValue!));
        else
            errors.Rules(path, given.IntValue, Names.PortNumber(given.IntValue));
    }

    private static void Handler(List<FieldError> errors, FieldPath path, JsonObject handler, string[] kinds, long? gracePeriod)
    {
        var given = 0;
        foreach (var kind in kinds)
        {
            if (handler.Obj(kind) is not { } action)
                continue;
            if (given++ > 0)
                errors.Add(FieldError.Forbidden(path.Child(kind), "may not specify more than 1 handler type"));
            else
                Action(errors, path.Child(kind), kind, action, gracePeriod);
        }

        if (given == 0)
            errors.Add(FieldError.Required(path, "must specify a handler type"));
    }

    private static void Action(List<FieldError> errors, FieldPath at, string kind, JsonObject action, long? gracePeriod)
    {
        switch (kind)
        {
            case "exec":
                if ((action.Arr("command")?.Count ?? 0) == 0)
                    errors.Add(FieldError.Required(at.Child("command")));
                break;
            case "httpGet":
                HttpGet(errors, at, action);
                break;
            case "tcpSocket":
                Port(errors, at.Child("port"), action.IntStr("port"));
                break;
            case "grpc":
                errors.Rules(at.Child("port"), action.Num("port") ?? 0, Names.PortNumber(action.Num("port") ?? 0));
                break;
            case "sleep":
                var seconds = action.Num("seconds") ?? 0;
                if (gracePeriod is { } period && (seconds < 0 || seconds > period))
                    errors.Add(FieldError.Invalid(at, seconds, $"must be non-negative and less than terminationGracePeriodSeconds ({period})"));
                break;
        }
    }

    private static void HttpGet(List<FieldError> errors, FieldPath at, JsonObject http)
    {
        if (http.Str("path").Length == 0)
            errors.Add(FieldError.Required(at.Child("path")));
        Port(errors, at.Child("port"), http.IntStr("port"));
        if (http.Str("scheme") is not ("HTTP" or "HTTPS"))
            errors.Add(FieldError.NotSupported(at.Child("scheme"), http.Str("scheme"), "HTTP", "HTTPS"));
        foreach (var (_, header) in http.Items("httpHeaders"))
            errors.Rules(at.Child("httpHeaders"), header.Str("name"), Names.HttpHeaderName(header.Str("name")));
    }
}
