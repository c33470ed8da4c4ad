namespace Mesh.Scheduler.Constraints;

/// <summary>Labels of namespaces, for namespace selectors.</summary>
internal sealed class NamespaceLabels
{
    private static readonly Dictionary<string, string> None = [];
    private readonly Dictionary<string, IReadOnlyDictionary<string, string>> _labels = [];

    /// <summary>The labels of a namespace; none when it is not known.</summary>
    public IReadOnlyDictionary<string, string> Of(string ns) => _labels.GetValueOrDefault(ns, None);

    /// <summary>Notes the labels of a namespace (null: it is gone). True when they are others than before.</summary>
    public bool Set(string ns, IReadOnlyDictionary<string, string>? labels)
    {
        var before = new PodIdentity(ns, Of(ns), false);
        if (labels is not { Count: > 0 }) _labels.Remove(ns);
        else _labels[ns] = labels;
        return !before.Same(new PodIdentity(ns, labels, false));
    }
}
