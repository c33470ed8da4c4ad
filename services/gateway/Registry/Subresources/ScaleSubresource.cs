using System.Text.Json.Nodes;
using Mesh.Api;
using Mesh.Api.Schema;
using Mesh.Api.Selectors;
using Mesh.Gateway.Registry.Apply;

namespace Mesh.Gateway.Registry.Subresources;

/// <summary>Where a kind keeps its scale: spec.replicas, status.replicas and the selector, as an object or as a plain map.</summary>
internal sealed record ScalePath(string Group, string Plural, bool PlainSelector = false);

/// <summary>scale: an autoscaling/v1 Scale over a kind's replicas; writing it goes through the kind's own update.</summary>
internal sealed class ScaleSubresource(ScalePath path, GenericRegistry registry) : ISubresource
{
    /// <summary>The kinds with replicas.</summary>
    public static IReadOnlyList<ScalePath> All { get; } =
    [
        new("apps", "deployments"), new("apps", "replicasets"), new("apps", "statefulsets"), new("", "replicationcontrollers", PlainSelector: true),
    ];

    /// <inheritdoc/>
    public string Id => $"{path.Group}/{path.Plural}/scale";

    /// <inheritdoc/>
    public async ValueTask<SubresourceAnswer> GetAsync(RequestContext request, CancellationToken ct)
    {
        try
        {
            return new(ToScale((await registry.GetAsync(Whole(request), "", ct)).Parsed));
        }
        catch (ApiException e) when (e.IsNotFound)
        {
            throw new ApiException(Statuses.NotFound(path.Group, path.Plural + "/scale", request.Name), e);
        }
    }

    /// <inheritdoc/>
    public async ValueTask<SubresourceAnswer> UpdateAsync(RequestContext request, Mutation mutate, CancellationToken ct)
    {
        var outcome = await registry.ModifyAsync(
            Whole(request),
            async (obj, token) =>
            {
                var scale = await mutate(ToScale(obj), token);
                Check(request, scale);
                var version = ObjectMetaRules.Text(scale, "resourceVersion");
                if (version.Length > 0) ObjectMetaRules.Of(obj)["resourceVersion"] = version;
                else ObjectMetaRules.Of(obj).Remove("resourceVersion");
                if (obj["spec"] is not JsonObject spec) obj["spec"] = spec = [];
                spec["replicas"] = Replicas(scale);
                return obj;
            },
            ct);
        return new SubresourceAnswer(ToScale(outcome.Entry.Parsed));
    }

    /// <inheritdoc/>
    public async ValueTask<SubresourceAnswer> ApplyAsync(RequestContext request, ApplyConfig config, CancellationToken ct)
    {
        // The applier's scale is a configuration of the object that names its replicas.
        var resource = request.Resource;
        var schema = ApiSchema.Builtin.FindKind(resource.Group, resource.Version, resource.Kind) ?? throw new ApiException(Statuses.NoSuchResource());
        var meta = new JsonObject();
        foreach (var field in new[] { "name", "namespace", "uid", "resourceVersion" })
        {
            if (ObjectMetaRules.Text(config.Object, field) is { Length: > 0 } text) meta[field] = text;
        }

        var whole = new JsonObject { ["apiVersion"] = schema.ApiVersion, ["kind"] = schema.Kind, ["metadata"] = meta };
        if (config.Object["spec"]?["replicas"] is { } replicas)
        {
            Check(request, config.Object);
            whole["spec"] = new JsonObject { ["replicas"] = replicas.DeepClone() };
        }

        var outcome = await registry.ApplyAsync(Whole(request), config with { Schema = schema, Object = whole, Sent = whole }, static _ => default, ct);
        return new SubresourceAnswer(ToScale(outcome.Entry.Parsed));
    }

    private JsonObject ToScale(JsonObject obj)
    {
        var meta = new JsonObject();
        foreach (var field in new[] { "name", "namespace", "uid", "resourceVersion", "creationTimestamp" })
        {
            if (ObjectMetaRules.Text(obj, field) is { Length: > 0 } text) meta[field] = text;
        }

        var status = new JsonObject { ["replicas"] = obj["status"]?["replicas"]?.DeepClone() ?? 0 };
        var selector = path.PlainSelector
            ? Selector.FromSet((obj["spec"]?["selector"] as JsonObject ?? []).Select(static p => new KeyValuePair<string, string>(p.Key, p.Value?.ToString() ?? "")))
            : Selector.FromJson(obj["spec"]?["selector"] as JsonObject);
        if (selector.ToString() is { Length: > 0 } text2) status["selector"] = text2;
        return new JsonObject
        {
            ["kind"] = "Scale",
            ["apiVersion"] = "autoscaling/v1",
            ["metadata"] = meta,
            ["spec"] = obj["spec"]?["replicas"] is { } replicas ? new JsonObject { ["replicas"] = replicas.DeepClone() } : new JsonObject(),
            ["status"] = status,
        };
    }

    private static void Check(RequestContext request, JsonObject scale)
    {
        var name = ObjectMetaRules.Text(scale, "name");
        if (name.Length > 0 && name != request.Name)
            throw new ApiException(Statuses.BadRequest($"the name of the object ({name}) does not match the name on the URL ({request.Name})"));
        if (Replicas(scale) < 0)
            throw new ApiException(Statuses.Invalid("autoscaling", "Scale", request.Name, [FieldError.Invalid("spec.replicas", Replicas(scale), "must be greater than or equal to 0")]));
    }

    private static long Replicas(JsonObject scale) =>
        scale["spec"]?["replicas"] is JsonValue value ? value.TryGetValue<long>(out var wide) ? wide : value.TryGetValue<int>(out var narrow) ? narrow : 0 : 0;

    private static RequestContext Whole(RequestContext request) => new()
    {
        User = request.User,
        Resource = request.Resource,
        Namespace = request.Namespace,
        Name = request.Name,
        DryRun = request.DryRun,
        FieldManager = request.FieldManager,
        FieldValidation = request.FieldValidation,
        Force = request.Force,
        Warnings = request.Warnings,
        OwnerSubresource = request.Subresource,
    };
}
