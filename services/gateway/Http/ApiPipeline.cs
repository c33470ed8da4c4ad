using Mesh.Api;
using Mesh.Gateway.Authentication;
using Mesh.Gateway.Authorization;
using Mesh.Gateway.Registry;
using Mesh.Security;
using Mesh.Telemetry;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Mesh.Gateway.Http;

/// <summary>
/// The way of a REST request, top to bottom: what it asks (RequestInfo) → who asks (authentication, impersonation) → may they
/// (authorization) → who answers (documents, streams, registry). A refusal anywhere is an ApiException and ends here as a Status.
/// </summary>
internal sealed class ApiPipeline(
    IAuthenticator authenticator,
    IAuthorizer authorizer,
    ServedResources served,
    ResourceHandler resources,
    IEnumerable<IStreamHandler> streams,
    IEnumerable<IApiDocuments> documents,
    SystemPaths system,
    ApiMetrics metrics,
    TimeProvider time,
    ILogger<ApiPipeline> logger)
{
    /// <summary>Answers one request.</summary>
    public async Task HandleAsync(HttpContext http)
    {
        var info = RequestInfo.Parse(http.Request.Method, RequestPath.Of(http), QueryOptions.Flag(http.Request.Query, "watch") == true);
        var started = time.GetTimestamp();
        metrics.Begin(info);
        http.Response.Headers.CacheControl = "no-cache, private";
        http.Response.Headers["Audit-Id"] = http.Request.Headers["Audit-Id"] is { Count: 1 } given ? given : Guid.NewGuid().ToString();
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(http.RequestAborted);
        try
        {
            if (!ApiMetrics.IsLongRunning(info)) limit.CancelAfter(RequestDeadline.Of(http.Request.Query["timeout"].ToString()));
            var user = await WhoAsync(http, limit.Token);
            await AuthorizeAsync(http, info, user, limit.Token);
            await AnswerAsync(http, info, user, limit.Token);
        }
        catch (OperationCanceledException) when (http.RequestAborted.IsCancellationRequested)
        {
            // Nobody is there to be told.
        }
        catch (Exception e)
        {
            var status = Errors.ToStatus(e, logger, info.Path);
            if (e is OperationCanceledException) metrics.Terminated(info, status.Code ?? 504);
            if (http.Response.HasStarted) http.Abort();
            else await ResponseWriter.WriteStatusAsync(http, status, ErrorForm(http), http.RequestAborted);
        }
        finally
        {
            metrics.End(info, http.Response.StatusCode, http.Request.Query.ContainsKey("dryRun"), time.GetElapsedTime(started), http.Response.ContentLength);
        }
    }

    /// <summary>The user, or the one they may speak for.</summary>
    public async ValueTask<UserInfo> WhoAsync(HttpContext http, CancellationToken ct)
    {
        var credentials = CredentialsOf.Request(http);
        var user = await authenticator.AuthenticateAsync(credentials, ct) ?? throw new ApiException(Statuses.Unauthorized());
        if (credentials.ClientCertificate is { } certificate && credentials.BearerToken is null) metrics.CertificateUsed(certificate.NotAfter.ToUniversalTime() - time.GetUtcNow().UtcDateTime);
        return await Impersonation.ApplyAsync(user, CredentialsOf.Headers(http), authorizer, ct);
    }

    private async ValueTask AuthorizeAsync(HttpContext http, RequestInfo info, UserInfo user, CancellationToken ct)
    {
        var attributes = new AuthorizationAttributes
        {
            User = user,
            Verb = info.Verb,
            IsResourceRequest = info.IsResource,
            Group = info.Group,
            Version = info.Version,
            Resource = info.Resource,
            Subresource = info.Subresource,
            Namespace = info.Namespace,
            Name = info.Name,
            Path = info.Path,
            FieldSelector = http.Request.Query["fieldSelector"].ToString(),
            LabelSelector = http.Request.Query["labelSelector"].ToString(),
        };
        var result = await authorizer.AuthorizeAsync(attributes, ct);
        if (result.Allowed) return;
        http.Response.Headers.XContentTypeOptions = "nosniff";
        throw new ApiException(Refusal.For(attributes, result));
    }

    private async ValueTask AnswerAsync(HttpContext http, RequestInfo info, UserInfo user, CancellationToken ct)
    {
        if (!info.IsResource)
        {
            if (!RequestPath.IsClean(info.Path))
            {
                await SystemPaths.NotFoundAsync(http, ct);
                return;
            }

            if (await system.TryHandleAsync(http, ct)) return;
            foreach (var document in documents)
            {
                if (await document.TryHandleAsync(http, ct)) return;
            }

            await SystemPaths.NotFoundAsync(http, ct);
            return;
        }

        if (served.Find(info.Group, info.Version, info.Resource) is not { } resource)
        {
            // Of a group that nobody serves there is not even somebody to say so.
            if (served.All.Any(r => r.Group == info.Group)) throw new ApiException(Statuses.NoSuchResource());
            await SystemPaths.NotFoundAsync(http, ct);
            return;
        }

        if (info.HasNoName) throw new ApiException(Statuses.NoSuchResource());

        // All namespaces at once are only listed and watched, collections are not replaced or patched.
        if (resource.Namespaced && info.Namespace.Length == 0 && (info.Name.Length > 0 || info.Verb is "create" or "deletecollection") && !resource.Verbs.SequenceEqual(["create"]))
            throw new ApiException(info.Name.Length == 0 ? Statuses.MethodNotAllowed() : Statuses.NoSuchResource());
        if (info.Name.Length == 0 && info.Verb is "update" or "patch") throw new ApiException(Statuses.MethodNotAllowed());
        if (!resource.Namespaced && info.Namespace.Length > 0 && resource.Plural != "namespaces") throw new ApiException(Statuses.NoSuchResource());
        foreach (var stream in streams)
        {
            if (!stream.Handles(info)) continue;
            await stream.HandleAsync(http, info, resource, user, ct);
            return;
        }

        await resources.HandleAsync(http, info, resource, user, ct);
    }

    private static Representation ErrorForm(HttpContext http) =>
        (Representation.Negotiate(http.Request.Headers.Accept, allowShapes: true, hasProtobuf: true) ?? Representation.Json) with { Shape = ObjectShape.Full, Pretty = Representation.IsPretty(http.Request) };
}
