using System.Text.Json.Nodes;
using Mesh.Api;

namespace Mesh.Gateway.Registry.Kinds.Extension;

/// <summary>Where a webhook is called: a URL or a service.</summary>
internal static class WebhookClients
{
    private const string Form = "; desired format: https://host[/path]";

    public static void Default(JsonObject? client) => client.Obj("service")?.Default("port", 443);

    public static void Check(List<FieldError> errors, FieldPath at, JsonObject? client)
    {
        if (client.Has("url") == client.Has("service"))
            errors.Add(FieldError.Required(at, "exactly one of url or service is required"));
        else if (client.Has("url"))
            Url(errors, at.Child("url"), client.Str("url"));
        else
            Service(errors, at.Child("service"), client.Obj("service") ?? []);
    }

    private static void Url(List<FieldError> errors, FieldPath at, string text)
    {
        if (!Uri.TryCreate(text, UriKind.Absolute, out var url))
        {
            if (text.Length == 0)
                errors.Add(FieldError.Required(at, "url must be specified" + Form));
            else
                errors.Add(FieldError.Invalid(at, text, "'https' is the only allowed URL scheme" + Form));
            return;
        }

        if (url.Scheme != Uri.UriSchemeHttps)
            errors.Add(FieldError.Invalid(at, url.Scheme, "'https' is the only allowed URL scheme" + Form));
        if (url.Host.Length == 0)
            errors.Add(FieldError.Invalid(at, url.Host, "host must be specified" + Form));
        if (url.UserInfo.Length > 0)
            errors.Add(FieldError.Invalid(at, url.UserInfo, "user information is not permitted in the URL"));
        if (url.Fragment.Length > 0)
            errors.Add(FieldError.Invalid(at, url.Fragment.TrimStart('#'), "fragments are not permitted in the URL"));
        if (url.Query.Length > 0)
            errors.Add(FieldError.Invalid(at, url.Query.TrimStart('?'), "query parameters are not permitted in the URL"));
    }

    private static void Service(List<FieldError> errors, FieldPath at, JsonObject service)
    {
        if (service.Str("name").Length == 0)
            errors.Add(FieldError.Required(at.Child("name"), "service name is required"));
        if (service.Str("namespace").Length == 0)
            errors.Add(FieldError.Required(at.Child("namespace"), "service namespace is required"));
        if (service.Num("port") is { } port && Names.PortNumber(port) is { Count: > 0 } broken)
            errors.Add(FieldError.Invalid(at.Child("port"), port, "port is not valid: " + string.Join(",", broken)));
        var path = service.Str("path");
        if (path is "" or "/")
            return;
        if (!path.StartsWith('/'))
            errors.Add(FieldError.Invalid(at.Child("path"), path, "must start with a '/'"));
        var steps = (path.EndsWith('/') ? path[..^1] : path).Split('/').Skip(1);
        foreach (var (i, step) in steps.Index())
        {
            if (step.Length == 0)
                errors.Add(FieldError.Invalid(at.Child("path"), path, $"segment[{i}] may not be empty"));
        }
    }
}
