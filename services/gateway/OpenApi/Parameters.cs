namespace Mesh.Gateway.OpenApi;

/// <summary>A parameter of an operation.</summary>
/// <param name="Name">Its name.</param>
/// <param name="In">query or path.</param>
/// <param name="Type">JSON type.</param>
/// <param name="Description">What it does.</param>
internal sealed record Parameter(string Name, string In, string Type, string Description)
{
    private static readonly Parameter Pretty = new("pretty", "query", "string", "Pretty-print the answer.");
    private static readonly Parameter DryRun = new("dryRun", "query", "string", "All: check everything, store nothing.");
    private static readonly Parameter FieldManager = new("fieldManager", "query", "string", "Name of who makes the change, for field ownership.");
    private static readonly Parameter FieldValidation = new("fieldValidation", "query", "string", "What to do about unknown and double fields: Ignore, Warn or Strict.");

    private static readonly Parameter[] Selection =
    [
        new("allowWatchBookmarks", "query", "boolean", "Send bookmarks on a watch."), new("continue", "query", "string", "Token of the next page."),
        new("fieldSelector", "query", "string", "Only objects with these fields."), new("labelSelector", "query", "string", "Only objects with these labels."),
        new("limit", "query", "integer", "Most items of one page."), new("resourceVersion", "query", "string", "Revision to read at."),
        new("resourceVersionMatch", "query", "string", "How the revision is meant: Exact or NotOlderThan."),
        new("sendInitialEvents", "query", "boolean", "Begin a watch with what is there."), new("timeoutSeconds", "query", "integer", "Longest time of the request."),
        new("watch", "query", "boolean", "Follow changes instead of listing."),
    ];

    private static readonly Parameter[] Deletion =
    [
        DryRun, new("gracePeriodSeconds", "query", "integer", "Seconds to end in; 0 is at once."),
        new("ignoreStoreReadErrorWithClusterBreakingPotential", "query", "boolean", "Delete even what cannot be read."),
        new("orphanDependents", "query", "boolean", "Leave dependents without owner (old form of propagationPolicy)."),
        new("propagationPolicy", "query", "string", "What happens to dependents: Orphan, Background or Foreground."),
    ];

    /// <summary>The query parameters of an operation, beside those of its path.</summary>
    public static IEnumerable<Parameter> Of(Operation operation) => operation.Action switch
    {
        "list" => [Pretty, .. Selection],
        "deletecollection" => [Pretty, .. Deletion, .. Selection.Where(s => s.Name is not ("watch" or "allowWatchBookmarks"))],
        "post" or "put" => [Pretty, DryRun, FieldManager, FieldValidation],
        "patch" => [Pretty, DryRun, FieldManager, FieldValidation, new("force", "query", "boolean", "Take over fields that others own (apply only).")],
        "delete" => [Pretty, .. Deletion],
        _ => [Pretty],
    };

    /// <summary>The parameters in a path.</summary>
    public static IEnumerable<Parameter> OfPath(string path)
    {
        if (path.Contains("{name}", StringComparison.Ordinal))
            yield return new("name", "path", "string", "Name of the object.");
        if (path.Contains("{namespace}", StringComparison.Ordinal))
            yield return new("namespace", "path", "string", "Namespace of the object.");
    }
}
