using System.Text.Json.Nodes;
using Mesh.Api;

namespace Mesh.Gateway.Registry.Kinds.Pods;

/// <summary>Rules of probes and lifecycle handlers.</summary>
internal static class ProbeValidation
{
    public static void Probe(List<FieldError> errors, FieldPath path, JsonObject? probe, bool mustSucceedOnce)
    {
        if (probe is null)
            return;
        Handler(errors, path, probe, "exec", "httpGet", "tcpSocket", "grpc");
        foreach (var field in new[] { "initialDelaySeconds", "timeoutSeconds", "periodSeconds", "successThreshold", "failureThreshold" })
            errors.NonNegative(path.Child(field), probe.Num(field));
        if (probe.Has("terminationGracePeriodSeconds"))
        {
            if (!mustSucceedOnce)
                errors.Add(FieldError.Invalid(path.Child("terminationGracePeriodSeconds"), probe.Num("terminationGracePeriodSeconds"), "must not be set for readinessProbes"));
            else if (probe.Num("terminationGracePeriodSeconds") <= 0)
                errors.Add(FieldError.Invalid(path.Child("terminationGracePeriodSeconds"), probe.Num("terminationGracePeriodSeconds"), "must be greater than 0"));
        }

        if (mustSucceedOnce && probe.Num("successThreshold") is { } times && times != 1)
            errors.Add(FieldError.Invalid(path.Child("successThreshold"), times, "must be 1"));
    }

    public static void Handler(List<FieldError> errors, FieldPath path, JsonObject? handler, params string[] kinds)
    {
        if (handler is null)
            return;
        var given = kinds.Where(handler.Has).ToList();
        if (given.Count == 0)
            errors.Add(FieldError.Required(path, "must specify a handler type"));
        foreach (var extra in given.Skip(1))
            errors.Add(FieldError.Forbidden(path.Child(extra), "may not specify more than 1 handler type"));

        if (handler.Obj("exec") is { } exec && (exec.Arr("command")?.Count ?? 0) == 0)
            errors.Add(FieldError.Required(path.Child("exec", "command")));
        if (handler.Obj("httpGet") is { } http)
        {
            var at = path.Child("httpGet");
            if (http.Str("path").Length == 0)
                errors.Add(FieldError.Required(at.Child("path")));
            Port(errors, at.Child("port"), http.IntStr("port"));
            errors.OneOf(at.Child("scheme"), http.Str("scheme"), "HTTP", "HTTPS");
            foreach (var (i, header) in http.Items("httpHeaders"))
                errors.Rules(at.Child("httpHeaders").Index(i).Child("name"), header.Str("name"), Names.HttpHeaderName(header.Str("name")));
        }

        if (handler.Obj("tcpSocket") is { } tcp)
            Port(errors, path.Child("tcpSocket", "port"), tcp.IntStr("port"));
        if (handler.Obj("grpc") is { } grpc)
            errors.Rules(path.Child("grpc", "port"), grpc.Num("port") ?? 0, Names.PortNumber(grpc.Num("port") ?? 0));
        if (handler.Obj("sleep") is { } sleep && sleep.Num("seconds") < 0)
            errors.NonNegative(path.Child("sleep"), sleep.Num("seconds"));
    }

    internal static void Port(List<FieldError> errors, FieldPath path, IntOrString? port)
    {
        if (port is not { } given)
            errors.Rules(path, 0, Names.PortNumber(0));
        else if (given.IsString)
            errors.Rules(path, given.StringValue, Names.PortName(given.StringValue!));
        else
            errors.Rules(path, given.IntValue, Names.PortNumber(given.IntValue));
    }
}
