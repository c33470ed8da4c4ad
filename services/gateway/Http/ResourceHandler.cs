using System.Text.Json.Nodes;
using Mesh.Api;
using Mesh.Api.Codecs;
using Mesh.Api.Schema;
using Mesh.Gateway.Http.Forms;
using Mesh.Gateway.Http.Lists;
using Mesh.Gateway.Registry;
using Mesh.Gateway.Registry.Apply;
using Mesh.Gateway.Registry.Subresources;
using Mesh.Gateway.Rpc;
using Mesh.Gateway.Storage;
using Mesh.Gateway.Tables;
using Mesh.Security;
using Microsoft.AspNetCore.Http;

namespace Mesh.Gateway.Http;

/// <summary>One request on a resource: the verb's way from body to registry to answer. Nothing here knows a kind.</summary>
internal sealed class ResourceHandler(
    GenericRegistry registry, SubresourceTable subresources, IEnumerable<IVirtualResource> virtuals, TableConvertor tables, RpcAccess access, TimeProvider time)
{
    private static readonly KindSchema DeleteOptionsSchema = ApiSchema.Builtin.FindKind("v1", "DeleteOptions")
        ?? new KindSchema("", "v1", "DeleteOptions", ApiSchema.Builtin.FindType("k8s.io.apimachinery.pkg.apis.meta.v1", "DeleteOptions")!);

    /// <summary>Handles an authorized request.</summary>
    public Task HandleAsync(HttpContext http, RequestInfo info, ApiResource resource, UserInfo user, CancellationToken ct)
    {
        var call = new Call(http, info, resource, user, ct);
        WarningHeaders.Add(http.Response, DeprecatedApis.Warnings(resource));
        if (HttpMethods.IsHead(http.Request.Method)) throw new ApiException(Statuses.MethodNotAllowed());
        if (info.Subresource.Length > 0) return SubresourceAsync(call);
        if (!resource.HasVerb(info.Verb)) throw new ApiException(Statuses.MethodNotAllowed());
        if (virtuals.FirstOrDefault(v => v.Handles(resource)) is { } special) return VirtualAsync(call, special);
        return info.Verb switch
        {
            "get" => GetAsync(call),
            "list" => ListAsync(call),
            "watch" => WatchAsync(call),
            "create" => CreateAsync(call),
            "update" => UpdateAsync(call),
            "patch" => PatchAsync(call),
            "delete" => DeleteAsync(call),
            "deletecollection" => DeleteCollectionAsync(call),
            _ => throw new ApiException(Statuses.MethodNotAllowed()),
        };
    }

    private async Task GetAsync(Call call)
    {
        var encoder = Encoder(call);
        var entry = await registry.GetAsync(call.Context(), call.Query["resourceVersion"].ToString(), call.Ct);
        await AnswerAsync(call, 200, encoder.Encode(entry), encoder.Representation);
    }

    private async Task ListAsync(Call call)
    {
        var encoder = Encoder(call);
        var page = await registry.ListAsync(call.Context(), QueryOptions.List(call.Query), call.Ct);
        await ListResponse.WriteAsync(call.Http, encoder, page, call.Ct);
    }

    private async Task WatchAsync(Call call)
    {
        var encoder = Encoder(call);
        if (encoder.Representation.Format == BodyFormat.Yaml) throw new ApiException(Statuses.NotAcceptable("application/json;stream=watch", "application/vnd.kubernetes.protobuf;stream=watch"));
        // Without a timeout a watch lasts 30 to 60 minutes, so that watchers spread over servers in time.
        var seconds = QueryOptions.Number(call.Query, "timeoutSeconds") is { } asked and > 0 ? asked : Random.Shared.Next(1800, 3600);
        var lifetime = TimeSpan.FromSeconds(Math.Min(seconds, 86_400));
        using var limit = new CancellationTokenSource(lifetime, time);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, call.Http.RequestAborted);
        var batches = await registry.WatchAsync(call.Context(), QueryOptions.List(call.Query, call.Info.Name) with { Lifetime = lifetime }, both.Token);
        await WatchWriter.RunAsync(call.Http, batches, encoder, both.Token);
    }

    private async Task CreateAsync(Call call)
    {
        if (call.Info.Name.Length > 0) throw new ApiException(Statuses.MethodNotAllowed());
        var encoder = Encoder(call);
        var request = call.Context();
        var body = await BodyAsync(call, request, Schema(call.Resource));
        var outcome = await registry.CreateAsync(request, body, call.Ct);
        await AnswerAsync(call, 201, encoder.Encode(outcome.Entry), encoder.Representation, request);
    }

    private async Task UpdateAsync(Call call)
    {
        var encoder = Encoder(call);
        var request = call.Context();
        var body = await BodyAsync(call, request, Schema(call.Resource));
        var outcome = await registry.UpdateAsync(request, body, call.Ct);
        await AnswerAsync(call, outcome.Created ? 201 : 200, encoder.Encode(outcome.Entry), encoder.Representation, request);
    }

    private async Task PatchAsync(Call call)
    {
        var encoder = Encoder(call);
        var request = call.Context();
        var (kind, patch) = await PatchBodyAsync(call);
        var outcome = kind == PatchKind.Apply
            ? await registry.ApplyAsync(request, ApplyConfig.Read(patch, Schema(call.Resource), request), ct => MayCreateAsync(call, ct), call.Ct)
            : await registry.ModifyAsync(request, Patching.ToMutation(kind, patch, Schema(call.Resource), request), call.Ct);
        await AnswerAsync(call, outcome.Created ? 201 : 200, encoder.Encode(outcome.Entry), encoder.Representation, request);
    }

    /// <summary>An apply that creates needs the right to create.</summary>
    private ValueTask MayCreateAsync(Call call, CancellationToken ct) =>
        access.CheckAsync(call.User, "create", call.Resource, call.Info.Namespace, call.Info.Name, "", ct);

    private async Task DeleteAsync(Call call)
    {
        var encoder = Encoder(call);
        var (options, dryRun) = QueryOptions.Delete(call.Query, await DeleteBodyAsync(call));
        var request = call.Context(dryRun);
        var outcome = await registry.DeleteAsync(request, options, call.Ct);
        if (!outcome.Deleted || DeletedObjects.AreReturned(call.Resource))
        {
            await AnswerAsync(call, 200, encoder.Encode(outcome.Entry), encoder.Representation, request);
            return;
        }

        var uid = ObjectMetaRules.Text(outcome.Entry.Parsed, "uid");
        await ResponseWriter.WriteStatusAsync(
            call.Http, Statuses.Success(call.Resource.Group, call.Resource.Plural, call.Info.Name, uid), encoder.Representation, call.Ct);
    }

    private async Task DeleteCollectionAsync(Call call)
    {
        var encoder = Encoder(call);
        var (options, dryRun) = QueryOptions.Delete(call.Query, await DeleteBodyAsync(call));
        var page = await registry.DeleteCollectionAsync(call.Context(dryRun), QueryOptions.List(call.Query), options, call.Ct);
        await ListResponse.WriteAsync(call.Http, encoder, page, call.Ct);
    }

    private async Task SubresourceAsync(Call call)
    {
        var request = call.Context();
        var part = call.Resource.Subresources.FirstOrDefault(s => s.Name == call.Info.Subresource) ?? throw new ApiException(Statuses.NoSuchResource());
        if (subresources.Find(call.Resource, call.Info.Subresource) is not { } handler)
        {
            await (call.Info.Verb switch
            {
                "get" => GetAsync(call),
                "update" => UpdateAsync(call),
                "patch" => PatchAsync(call),
                _ => throw new ApiException(Statuses.MethodNotAllowed()),
            });
            return;
        }

        var schema = ApiSchema.Builtin.FindKind(part.Group, part.Version, part.Kind) ?? throw new ApiException(Statuses.NoSuchResource());
        var representation = Representation.Negotiate(call.Http.Request.Headers.Accept, allowShapes: true, hasProtobuf: true) ?? throw NotAcceptable();
        SubresourceAnswer answer;
        switch (call.Info.Verb)
        {
            case "get":
                answer = await handler.GetAsync(request, call.Ct);
                break;
            case "create":
                answer = await handler.CreateAsync(request, await BodyAsync(call, request, schema), call.Ct);
                break;
            case "update":
                var body = await BodyAsync(call, request, schema);
                answer = await handler.UpdateAsync(request, (_, _) => new((JsonObject)body.DeepClone()), call.Ct);
                break;
            case "patch":
                var (kind, patch) = await PatchBodyAsync(call);
                answer = kind == PatchKind.Apply
                    ? await handler.ApplyAsync(request, ApplyConfig.Read(patch, schema, request), call.Ct)
                    : await handler.UpdateAsync(request, Patching.ToMutation(kind, patch, schema, request), call.Ct);
                break;
            default: throw new ApiException(Statuses.MethodNotAllowed());
        }

        var bytes = representation.Shape == ObjectShape.Table ? JsonBytes.Write(PartTable(call, part, answer.Object)) : ObjectEncoder.Encode(answer.Object, representation);
        await AnswerAsync(call, answer.Code, bytes, representation, request);
    }

    /// <summary>The table of a part whose kind is another than the object's: a Scale.</summary>
    private JsonObject PartTable(Call call, ApiSubresource part, JsonObject obj)
    {
        var resource = call.Resource with { Group = part.Group, Version = part.Version, Kind = part.Kind, Plural = part.Kind.ToLowerInvariant() + "s" };
        return tables.ToTable(resource, [obj], null, TableForm.Include(call.Query["includeObject"].ToString()));
    }

    private async Task VirtualAsync(Call call, IVirtualResource special)
    {
        // What is only asked and never kept has no tables.
        var encoder = Encoder(call, allowShapes: call.Info.Verb != "create");
        var request = call.Context();
        var layout = registry.Strategies.Layout(call.Resource);
        switch (call.Info.Verb)
        {
            case "create":
                var answer = await special.CreateAsync(request, await BodyAsync(call, request, Schema(call.Resource)), call.Ct);
                await AnswerAsync(call, 201, ObjectEncoder.Encode(answer, encoder.Representation), encoder.Representation, request);
                return;
            case "get":
                await AnswerAsync(call, 200, encoder.Encode(Entry(await special.GetAsync(request, call.Ct))), encoder.Representation, request);
                return;
            case "list":
                var items = await special.ListAsync(request, call.Ct);
                await ListResponse.WriteAsync(call.Http, encoder, new ListPage([.. items.Select(Entry)], 0, null, null), call.Ct);
                return;
            default: throw new ApiException(Statuses.MethodNotAllowed());
        }

        CacheEntry Entry(JsonObject obj) => CacheEntry.Unstored(layout, layout.Prefix + ObjectMetaRules.Text(obj, "name"), JsonBytes.Write(obj));
    }

    private ObjectEncoder Encoder(Call call, bool allowShapes = true)
    {
        var schema = ApiSchema.Builtin.FindKind(call.Resource.Group, call.Resource.Version, call.Resource.Kind);
        var representation = Representation.Negotiate(call.Http.Request.Headers.Accept, allowShapes, schema is not null) ?? throw NotAcceptable();
        representation = representation with { Pretty = Representation.IsPretty(call.Http.Request) };
        CheckShape(call, representation);
        return new ObjectEncoder(call.Resource, schema, representation, tables, call.Query["includeObject"].ToString(), call.Info.Verb == "watch");
    }

    /// <summary>A shape must fit: one object is no list of metadata, nor the reverse; tables have one of three sorts of objects in their rows.</summary>
    private static void CheckShape(Call call, Representation representation)
    {
        if (representation.Shape == ObjectShape.Table && call.Query["includeObject"].ToString() is not ("" or "Metadata" or "Object" or "None") and var include)
            throw new ApiException(Statuses.BadRequest($"Unable to convert to Table as requested: includeObject: Invalid value: {GoText.Quote(include)}: must be 'Metadata', 'Object', 'None', or empty"));
        if (representation.Shape != ObjectShape.Partial || call.Info.Verb is not ("get" or "list" or "create" or "update" or "patch")) return;
        var isList = call.Info.Verb == "list";
        if (isList == representation.OfLists) return;
        // Kubernetes names its own type.
        var type = $"*{(call.Resource.Group.Length == 0 ? "core" : call.Resource.Group.Split('.')[0])}.{call.Resource.Kind}{(isList ? "List" : "")}";
        throw new ApiException(Statuses.NotAcceptableShape(
            isList ? $"you requested PartialObjectMetadata, but the requested object is a list ({type})" : $"you requested PartialObjectMetadataList, but the requested object is not a list ({type})"));
    }

    private static KindSchema Schema(ApiResource resource) =>
        ApiSchema.Builtin.FindKind(resource.Group, resource.Version, resource.Kind) ?? throw new ApiException(Statuses.NoSuchResource());

    private static ApiException NotAcceptable() => new(Statuses.NotAcceptable(Representation.Offered(hasProtobuf: true)));

    private static async ValueTask<JsonObject> BodyAsync(Call call, RequestContext request, KindSchema schema)
    {
        var format = BodyReader.Format(call.Http.Request.ContentType);
        var bytes = await BodyReader.ReadAsync(call.Http.Request, call.Ct);
        return BodyReader.Decode(bytes, format, schema, request.FieldValidation, request.Warnings);
    }

    private static async ValueTask<JsonObject?> DeleteBodyAsync(Call call)
    {
        var bytes = await BodyReader.ReadAsync(call.Http.Request, call.Ct);
        if (bytes.Length == 0) return null;
        var format = BodyReader.Format(call.Http.Request.ContentType);
        // The options' apiVersion may be any served version: only the kind matters.
        if (format == BodyFormat.Protobuf) return ProtobufCodec.Decode(bytes.Span, DeleteOptionsSchema);
        try
        {
            var json = format == BodyFormat.Yaml ? YamlCodec.ToJson(bytes.Span) : bytes;
            return JsonCodec.Decode(json.Span, DeleteOptionsSchema.Type);
        }
        catch (DecodeException e)
        {
            throw new ApiException(Statuses.BadRequest(e.Message), e);
        }
    }

    private static async ValueTask<(PatchKind Kind, ReadOnlyMemory<byte> Patch)> PatchBodyAsync(Call call)
    {
        var kind = MediaRange.Parse(call.Http.Request.ContentType ?? "").Type switch
        {
            "application/json-patch+json" => PatchKind.Json,
            "application/merge-patch+json" => PatchKind.Merge,
            "application/strategic-merge-patch+json" => PatchKind.Strategic,
            "application/apply-patch+yaml" => PatchKind.Apply,
            _ => throw new ApiException(Statuses.NotConsumed()),
        };
        if (kind != PatchKind.Apply && call.Query.ContainsKey("force"))
            throw new ApiException(Statuses.Invalid("meta.k8s.io", "PatchOptions", "", [FieldError.Forbidden("force", "may not be specified for non-apply patch")]));
        return (kind, await BodyReader.ReadAsync(call.Http.Request, call.Ct));
    }

    private static ValueTask AnswerAsync(Call call, int code, byte[] body, Representation representation, RequestContext? request = null)
    {
        if (request is { Warnings.Count: > 0 }) WarningHeaders.Add(call.Http.Response, request.Warnings);
        return ResponseWriter.WriteAsync(call.Http, code, body, representation, call.Ct);
    }

    /// <summary>What every verb needs of the request.</summary>
    private readonly record struct Call(HttpContext Http, RequestInfo Info, ApiResource Resource, UserInfo User, CancellationToken Ct)
    {
        public IQueryCollection Query => Http.Request.Query;

        // Readers may say what they like in the options of writers.
        private bool Writes => Info.Verb is "create" or "update" or "patch";

        public RequestContext Context(bool? dryRun = null) => new()
        {
            User = User,
            Resource = Resource,
            Namespace = Resource.Namespaced && Info.Namespace.Length > 0 ? Info.Namespace : null,
            Name = Info.Name,
            Subresource = Info.Subresource,
            DryRun = dryRun ?? (Writes && QueryOptions.DryRun(Query["dryRun"], Info.Verb)),
            FieldManager = Writes ? FieldManagers.Of(Query["fieldManager"].ToString(), Info.Verb, Http.Request) : "",
            FieldValidation = Writes ? QueryOptions.Validation(Query["fieldValidation"].ToString(), Info.Verb) : FieldValidation.Ignore,
            Force = QueryOptions.Flag(Query, "force") == true,
        };
    }
}
