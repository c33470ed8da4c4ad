using System.Text.Json.Nodes;
using Mesh.Api;
using Mesh.Security;

namespace Mesh.Gateway.Admission;

/// <summary>What a request does to an object.</summary>
internal enum AdmissionOperation
{
    /// <summary>A new object, or a create of a subresource (binding, eviction, token).</summary>
    Create,

    /// <summary>A changed object or subresource.</summary>
    Update,

    /// <summary>A removed object; Object is null.</summary>
    Delete,

    /// <summary>A connection to an object (exec, attach, portforward, proxy).</summary>
    Connect,
}

/// <summary>One request as admission sees it.</summary>
internal sealed class AdmissionAttributes
{
    /// <summary>What is done.</summary>
    public required AdmissionOperation Operation { get; init; }

    /// <summary>The resource of the request.</summary>
    public required ApiResource Resource { get; init; }

    /// <summary>Part of the object, "" for the object itself.</summary>
    public string Subresource { get; init; } = "";

    /// <summary>Namespace of the request; null for cluster-scoped kinds.</summary>
    public string? Namespace { get; init; }

    /// <summary>Name of the object; "" on a create with generateName, and on deletecollection before items are known.</summary>
    public string Name { get; init; } = "";

    /// <summary>The object as it will be (for subresources that are kinds of their own: the Binding, Eviction, …). A mutating plugin changes it in place.</summary>
    public JsonObject? Object { get; init; }

    /// <summary>The object as it is stored, with its resourceVersion; null on create. Never change it.</summary>
    public JsonObject? OldObject { get; init; }

    /// <summary>Create, Update, Delete options as sent.</summary>
    public JsonObject? Options { get; init; }

    /// <summary>Who asks.</summary>
    public required UserInfo User { get; init; }

    /// <summary>Nothing will be stored.</summary>
    public bool DryRun { get; init; }

    /// <summary>Warnings for the client; plugins add to it.</summary>
    public IList<string> Warnings { get; init; } = [];

    /// <summary>What a plugin takes back when the object is refused after all; each is run once, in the reverse order.</summary>
    public IList<Func<CancellationToken, ValueTask>> Undo { get; } = [];

    /// <summary>Audit annotations, by plugin.</summary>
    public IDictionary<string, string> AuditAnnotations { get; } = new Dictionary<string, string>(StringComparer.Ordinal);
}

/// <summary>
/// One admission plugin. A refusal is an ApiException (usually Forbidden). Plugins run in their registered order:
/// first every AdmitAsync, then, after the strategy's validation, every ValidateAsync.
/// </summary>
internal interface IAdmissionPlugin
{
    /// <summary>Kubernetes' name of the plugin ("NamespaceLifecycle").</summary>
    string Name { get; }

    /// <summary>Whether the plugin has anything to say about such requests: asked before the objects are prepared for it.</summary>
    bool Handles(AdmissionOperation operation, ApiResource resource, string subresource);

    /// <summary>May change the object.</summary>
    ValueTask AdmitAsync(AdmissionAttributes attributes, CancellationToken ct);

    /// <summary>May only refuse.</summary>
    ValueTask ValidateAsync(AdmissionAttributes attributes, CancellationToken ct);
}
