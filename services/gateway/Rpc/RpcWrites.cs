using System.Text.Json.Nodes;
using Google.Protobuf;
using Mesh.Api;
using Mesh.Api.Codecs;
using Mesh.Api.Schema;
using Mesh.Gateway.Http;
using Mesh.Gateway.Registry;
using Mesh.Gateway.Registry.Apply;
using Mesh.Gateway.Registry.Subresources;
using Mesh.Gateway.Storage;
using Mesh.Rpc.V1;
using Mesh.Security;
using DeleteRequest = Mesh.Rpc.V1.DeleteRequest;

namespace Mesh.Gateway.Rpc;

/// <summary>The writing verbs of mesh.v1, alone and in batches.</summary>
internal sealed class RpcWrites(RpcAccess access, GenericRegistry registry, SubresourceTable subresources, IEnumerable<IVirtualResource> virtuals)
{
    /// <summary>The registry's view of a call.</summary>
    public static RequestContext Target(UserInfo user, ApiResource resource, string ns, string name, string subresource, bool dryRun = false, string manager = "", string validation = "", bool force = false) => new()
    {
        User = user,
        Resource = resource,
        Namespace = resource.Namespaced && ns.Length > 0 ? ns : null,
        Name = name,
        Subresource = subresource,
        DryRun = dryRun,
        FieldManager = manager,
        FieldValidation = QueryOptions.Validation(validation, "create"),
        Force = force,
    };

    /// <summary>The handler of a part whose body is a kind of its own, or null.</summary>
    public ISubresource? FindPart(ApiResource resource, string subresource) => subresources.Find(resource, subresource);

    /// <summary>Create.</summary>
    public async Task<ObjectReply> CreateAsync(UserInfo user, WriteRequest request, CancellationToken ct)
    {
        var resource = access.Find(request.Resource);
        // The name of a new object is in the object; only subresources name theirs beside it.
        await access.CheckAsync(user, "create", resource, request.Namespace, request.Subresource.Length > 0 ? request.Name : "", request.Subresource, ct);
        var target = Target(user, resource, request.Namespace, request.Subresource.Length > 0 ? request.Name : "", request.Subresource, request.DryRun, request.FieldManager, request.FieldValidation);
        var body = Decode(request.Object, BodySchema(resource, request.Subresource), target);
        if (request.Subresource.Length > 0)
        {
            var part = FindPart(resource, request.Subresource) ?? throw new ApiException(Statuses.MethodNotAllowed());
            return Reply((await part.CreateAsync(target, body, ct)).Object, target, created: true);
        }

        if (virtuals.FirstOrDefault(v => v.Handles(resource)) is { } special) return Reply(await special.CreateAsync(target, body, ct), target, created: true);
        return Reply(await registry.CreateAsync(target, body, ct), target);
    }

    /// <summary>Update.</summary>
    public async Task<ObjectReply> UpdateAsync(UserInfo user, WriteRequest request, CancellationToken ct)
    {
        var resource = access.Find(request.Resource);
        var schema = BodySchema(resource, request.Subresource);
        var probe = Target(user, resource, request.Namespace, request.Name, request.Subresource, request.DryRun, request.FieldManager, request.FieldValidation);
        var body = Decode(request.Object, schema, probe);
        var name = request.Name.Length > 0 ? request.Name : ObjectMetaRules.Text(body, "name");
        await access.CheckAsync(user, "update", resource, request.Namespace, name, request.Subresource, ct);
        var target = Target(user, resource, request.Namespace, name, request.Subresource, request.DryRun, request.FieldManager, request.FieldValidation);
        target.Warnings.AddRange(probe.Warnings);
        if (request.Subresource.Length > 0 && FindPart(resource, request.Subresource) is { } part)
            return Reply((await part.UpdateAsync(target, (_, _) => new((JsonObject)body.DeepClone()), ct)).Object, target);
        return Reply(await registry.UpdateAsync(target, body, ct), target);
    }

    /// <summary>Patch.</summary>
    public async Task<ObjectReply> PatchAsync(UserInfo user, PatchRequest request, CancellationToken ct)
    {
        var resource = access.Find(request.Resource);
        await access.CheckAsync(user, "patch", resource, request.Namespace, request.Name, request.Subresource, ct);
        var target = Target(user, resource, request.Namespace, request.Name, request.Subresource, request.DryRun, request.FieldManager, request.FieldValidation, request.Force);
        var kind = request.Type switch
        {
            PatchRequest.Types.Type.Json => PatchKind.Json,
            PatchRequest.Types.Type.Merge => PatchKind.Merge,
            PatchRequest.Types.Type.Strategic => PatchKind.Strategic,
            PatchRequest.Types.Type.Apply => PatchKind.Apply,
            _ => throw new ApiException(Statuses.UnsupportedMediaType(
                "application/json-patch+json", "application/merge-patch+json", "application/strategic-merge-patch+json", "application/apply-patch+yaml")),
        };
        if (kind == PatchKind.Apply)
        {
            var config = ApplyConfig.Read(request.Patch.Memory, BodySchema(resource, request.Subresource), target);
            if (request.Subresource.Length > 0 && FindPart(resource, request.Subresource) is { } applied) return Reply((await applied.ApplyAsync(target, config, ct)).Object, target);
            return Reply(await registry.ApplyAsync(target, config, t => access.CheckAsync(user, "create", resource, request.Namespace, request.Name, "", t), ct), target);
        }

        var mutation = Patching.ToMutation(kind, request.Patch.Memory, BodySchema(resource, request.Subresource), target);
        if (request.Subresource.Length > 0 && FindPart(resource, request.Subresource) is { } part) return Reply((await part.UpdateAsync(target, mutation, ct)).Object, target);
        return Reply(await registry.ModifyAsync(target, mutation, ct), target);
    }

    /// <summary>Delete.</summary>
    public async Task<ObjectReply> DeleteAsync(UserInfo user, DeleteRequest request, CancellationToken ct)
    {
        var resource = access.Find(request.Resource);
        await access.CheckAsync(user, "delete", resource, request.Namespace, request.Name, "", ct);
        JsonObject? body;
        try
        {
            body = request.Options.Length > 0 ? JsonCodec.DecodeAny(request.Options.Span) : null;
        }
        catch (DecodeException e)
        {
            throw new ApiException(Statuses.BadRequest(e.Message), e);
        }

        var (options, dryRun) = QueryOptions.Delete(new Microsoft.AspNetCore.Http.QueryCollection(), body);
        var target = Target(user, resource, request.Namespace, request.Name, "", dryRun);
        return Reply(await registry.DeleteAsync(target, options, ct), target);
    }

    private static KindSchema BodySchema(ApiResource resource, string subresource)
    {
        var part = subresource.Length == 0 ? null : resource.Subresources.FirstOrDefault(s => s.Name == subresource) ?? throw new ApiException(Statuses.NoSuchResource());
        var schema = part is null
            ? ApiSchema.Builtin.FindKind(resource.Group, resource.Version, resource.Kind)
            : ApiSchema.Builtin.FindKind(part.Group, part.Version, part.Kind);
        return schema ?? throw new ApiException(Statuses.NoSuchResource());
    }

    private static JsonObject Decode(ByteString body, KindSchema schema, RequestContext target) =>
        BodyReader.Decode(body.Memory, BodyFormat.Json, schema, target.FieldValidation, target.Warnings);

    private static ObjectReply Reply(WriteOutcome outcome, RequestContext target) =>
        new() { Object = UnsafeByteOperations.UnsafeWrap(outcome.Entry.Json), Created = outcome.Created, Warnings = { target.Warnings } };

    private static ObjectReply Reply(JsonObject obj, RequestContext target, bool created = false) =>
        new() { Object = UnsafeByteOperations.UnsafeWrap(JsonBytes.Write(obj)), Created = created, Warnings = { target.Warnings } };
}
