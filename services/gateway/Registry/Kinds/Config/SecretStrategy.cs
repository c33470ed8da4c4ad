using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Mesh.Api;

namespace Mesh.Gateway.Registry.Kinds.Config;

/// <summary>Secrets: stringData is a way to write data, and the type says which keys must be there.</summary>
internal sealed class SecretStrategy() : KindStrategy(Of("", "v1", "secrets"))
{
    private const int MaxBytes = 1024 * 1024;
    private static readonly string[] Fields = ["type"];

    /// <inheritdoc/>
    public override IReadOnlyList<string> SelectableFields => Fields;

    /// <inheritdoc/>
    public override string[] SelectableValues(JsonObject obj) => [obj.Str("type")];

    /// <inheritdoc/>
    public override void Default(JsonObject obj)
    {
        obj.Default("type", "Opaque");
        if (obj.Obj("stringData") is not { } plain)
            return;
        foreach (var (key, value) in plain)
            obj.Ensure("data")[key] = Convert.ToBase64String(Encoding.UTF8.GetBytes(value?.ToString() ?? string.Empty));
        obj.Remove("stringData");
    }

    /// <inheritdoc/>
    public override void PrepareForUpdate(JsonObject obj, JsonObject old, StrategyContext context)
    {
        base.PrepareForUpdate(obj, old, context);
        // A writer that leaves the type out does not change it.
        if (obj.Str("type").Length == 0)
            obj["type"] = old.Str("type");
    }

    /// <inheritdoc/>
    public override void Validate(JsonObject obj, List<FieldError> errors)
    {
        long total = 0;
        foreach (var (key, value) in obj.Obj("data") ?? [])
        {
            errors.Rules(new FieldPath("data").Key(key), key, Names.ConfigMapKey(key));
            total += (value?.ToString().Length ?? 0) * 3L / 4;
        }

        if (total > MaxBytes)
            errors.Add(FieldError.TooLong("data", MaxBytes));

        var data = obj.Obj("data") ?? [];
        switch (obj.Str("type"))
        {
            case "kubernetes.io/service-account-token":
                if (obj.Obj("metadata", "annotations").Str("kubernetes.io/service-account.name").Length == 0)
                    errors.Add(FieldError.Required("metadata.annotations[kubernetes.io/service-account.name]"));
                break;
            case "kubernetes.io/dockercfg":
                DockerConfig(errors, data, ".dockercfg");
                break;
            case "kubernetes.io/dockerconfigjson":
                DockerConfig(errors, data, ".dockerconfigjson");
                break;
            case "kubernetes.io/basic-auth":
                if (!data.ContainsKey("username") && !data.ContainsKey("password"))
                {
                    errors.Add(FieldError.Required("data[username]"));
                    errors.Add(FieldError.Required("data[password]"));
                }

                break;
            case "kubernetes.io/ssh-auth":
                if (data.Str("ssh-privatekey").Length == 0)
                    errors.Add(FieldError.Required("data[ssh-privatekey]"));
                break;
            case "kubernetes.io/tls":
                foreach (var key in new[] { "tls.crt", "tls.key" })
                {
                    if (!data.ContainsKey(key))
                        errors.Add(FieldError.Required(new FieldPath("data").Key(key)));
                }

                break;
        }
    }

    /// <inheritdoc/>
    public override void ValidateUpdate(JsonObject obj, JsonObject old, List<FieldError> errors)
    {
        errors.Unchanged("type", obj["type"], old["type"]);
        ConfigMapStrategy.Frozen(errors, obj, old, "data");
    }

    private static void DockerConfig(List<FieldError> errors, JsonObject data, string key)
    {
        var path = new FieldPath("data").Key(key);
        if (!data.ContainsKey(key))
        {
            errors.Add(FieldError.Required(path));
            return;
        }

        try
        {
            JsonNode.Parse(Convert.FromBase64String(data.Str(key)));
        }
        catch (Exception e) when (e is JsonException or FormatException)
        {
            errors.Add(FieldError.Invalid(path, "<secret contents redacted>", "invalid character in JSON"));
        }
    }
}
