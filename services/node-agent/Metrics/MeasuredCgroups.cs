using Mesh.Api.Core.V1;
using Mesh.NodeAgent.Cgroups;
using Mesh.NodeAgent.Pods;

namespace Mesh.NodeAgent.Metrics;

/// <summary>Times what is done to pods' cgroups.</summary>
internal sealed class MeasuredCgroups(IPodCgroups inner, KubeletMetrics metrics) : IPodCgroups
{
    public CgroupVersion Version => inner.Version;

    public string Ensure(Pod pod)
    {
        var operation = inner.Exists(pod.Uid()) ? "update" : "create";
        var started = metrics.Time.GetTimestamp();
        var path = inner.Ensure(pod);
        metrics.Cgroup(operation, metrics.Time.GetElapsedTime(started));
        return path;
    }

    public void Remove(string podUid)
    {
        var started = metrics.Time.GetTimestamp();
        inner.Remove(podUid);
        metrics.Cgroup("destroy", metrics.Time.GetElapsedTime(started));
    }

    public bool Exists(string podUid) => inner.Exists(podUid);

    public CgroupReading? Read(string podUid, string containerId) => inner.Read(podUid, containerId);

    public int? ProcessOf(string podUid, string containerId) => inner.ProcessOf(podUid, containerId);

    public IReadOnlyList<string> KnownPods() => inner.KnownPods();
}
