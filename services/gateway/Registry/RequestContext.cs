using Mesh.Api;
using Mesh.Security;

namespace Mesh.Gateway.Registry;

/// <summary>How unknown and doubled fields of a body are treated.</summary>
internal enum FieldValidation
{
    /// <summary>Dropped with a warning (the default).</summary>
    Warn,

    /// <summary>Dropped in silence.</summary>
    Ignore,

    /// <summary>Refused.</summary>
    Strict,
}

/// <summary>One request at the registry, the same for REST and gRPC.</summary>
internal sealed class RequestContext
{
    /// <summary>Who asks.</summary>
    public required UserInfo User { get; init; }

    /// <summary>What resource.</summary>
    public required ApiResource Resource { get; init; }

    /// <summary>Namespace; null for cluster-scoped kinds and for all namespaces.</summary>
    public string? Namespace { get; init; }

    /// <summary>Object name, "" when not about one object.</summary>
    public string Name { get; init; } = "";

    /// <summary>Subresource, "" for the object itself.</summary>
    public string Subresource { get; init; } = "";

    /// <summary>Subresource by which the writer is remembered, when that is another than <see cref="Subresource"/> (scale is written as the object).</summary>
    public string? OwnerSubresource { get; init; }

    /// <summary>Subresource by which the writer is remembered.</summary>
    public string Owner => OwnerSubresource ?? Subresource;

    /// <summary>Do everything, store nothing.</summary>
    public bool DryRun { get; init; }

    /// <summary>Who the fields will belong to.</summary>
    public string FieldManager { get; init; } = "";

    /// <summary>What to do with unknown fields.</summary>
    public FieldValidation FieldValidation { get; init; } = FieldValidation.Warn;

    /// <summary>Server-side apply: take fields from other managers.</summary>
    public bool Force { get; init; }

    /// <summary>Warnings for the client.</summary>
    public List<string> Warnings { get; init; } = [];
}
