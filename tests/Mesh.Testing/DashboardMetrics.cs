namespace Mesh.Testing;

/// <summary>
/// The names that the usual dashboards and alerts read (dashboard-metrics.txt, a copy of the interface's), each with the job whose /metrics has
/// it. Each service's tests demand theirs; what no service here has is said once, with why.
/// </summary>
public static class DashboardMetrics
{
    /// <summary>Names by the section that they stand in.</summary>
    public static IReadOnlyList<(string Section, string Name)> All { get; } = [.. Read()];

    /// <summary>Names that no part serves, and why.</summary>
    public static IReadOnlyDictionary<string, string> NotServed { get; } = new Dictionary<string, string>(StringComparer.Ordinal)
    {
        ["aggregator_unavailable_apiservice"] = "there is no aggregation of other API servers",
        ["aggregator_unavailable_apiservice_total"] = "there is no aggregation of other API servers",
        ["kubelet_evictions"] = "the node evicts no pods yet; Kubernetes shows the family with the first eviction",
        ["scheduler_volume_scheduling_duration_seconds_bucket"] = "the scheduler binds no volumes itself",
        ["scheduler_volume_scheduling_duration_seconds_count"] = "the scheduler binds no volumes itself",
    };

    /// <summary>Sections of programs that are none of the cluster's components: they are installed beside it.</summary>
    public static IReadOnlySet<string> Foreign { get; } = new HashSet<string> { "kube-state-metrics", "node-exporter" };

    /// <summary>The job that serves a section's names; those of libraries are demanded of the job that is given.</summary>
    public static string JobOf(string section) => section switch
    {
        "apiserver" or "aggregator" => "kube-apiserver",
        "cadvisor" => "cadvisor",
        "kubelet" or "storage" or "volume" => "kubelet",
        "kubeproxy" => "kube-proxy",
        "scheduler" => "kube-scheduler",
        "workqueue" => "kube-controller-manager",
        "go" or "process" or "rest" or "kubernetes" => "every",
        _ => "",
    };

    /// <summary>What a job must serve.</summary>
    public static IEnumerable<string> Of(string job) => All.Where(n => JobOf(n.Section) == job && !NotServed.ContainsKey(n.Name)).Select(static n => n.Name);

    /// <summary>The families of the names, as "# TYPE" says them: a histogram's bucket and count are one.</summary>
    public static string Family(string name)
    {
        ArgumentNullException.ThrowIfNull(name);
        foreach (var suffix in new[] { "_bucket", "_count" })
            if (name.EndsWith(suffix, StringComparison.Ordinal))
                return name[..^suffix.Length];
        return name;
    }

    /// <summary>Whether a text in Prometheus' format has a sample of the name.</summary>
    public static bool Serves(string text, string name)
    {
        ArgumentNullException.ThrowIfNull(text);
        return text.Contains("\n" + name + "{", StringComparison.Ordinal) || text.Contains("\n" + name + " ", StringComparison.Ordinal);
    }

    private static IEnumerable<(string, string)> Read()
    {
        using var stream = typeof(DashboardMetrics).Assembly.GetManifestResourceStream("dashboard-metrics.txt")!;
        using var reader = new StreamReader(stream);
        var section = "";
        while (reader.ReadLine() is { } line)
        {
            if (line.StartsWith("## ", StringComparison.Ordinal))
                section = line.Split(' ')[1];
            else if (line.Length > 0)
                yield return (section, line);
        }
    }
}
