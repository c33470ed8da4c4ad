using System.Text.Json.Nodes;
using Mesh.Gateway.Registry.Kinds;

namespace Mesh.Gateway.Tables;

/// <summary>Pods: what a pod is doing, in one word, is put together from its phase, its containers and its deletion.</summary>
internal static class PodTable
{
    public static TableKind Kind { get; } = new(
        Column.Line("Name, Ready, Status, Restarts, Age, IP+, Node+, Nominated Node+, Readiness Gates+"), Cells);

    private static object?[] Cells(JsonObject pod, DateTimeOffset now)
    {
        var (spec, status) = (pod.Obj("spec"), pod.Obj("status"));
        var count = new Counts(pod, now);
        var ip = status.Items("podIPs").Select(p => p.Item.Str("ip")).FirstOrDefault() ?? status.Str("podIP");
        var gates = spec.Items("readinessGates").ToList();
        var open = gates.Count(g => Cell.Condition(status, g.Item.Str("conditionType")) == "True");
        return
        [
            pod.Name(), $"{count.Ready}/{count.Total}", count.Reason, count.RestartText, Cell.Age(pod, now),
            Cell.Or(ip, Cell.None), Cell.Or(spec.Str("nodeName"), Cell.None), Cell.Or(status.Str("nominatedNodeName"), Cell.None),
            gates.Count == 0 ? Cell.None : $"{open}/{gates.Count}",
        ];
    }

    /// <summary>The walk over the containers' states.</summary>
    private sealed class Counts
    {
        private readonly DateTimeOffset now;
        private long restarts;
        private DateTimeOffset? lastRestart;

        public Counts(JsonObject pod, DateTimeOffset now)
        {
            this.now = now;
            var (spec, status) = (pod.Obj("spec"), pod.Obj("status"));
            var sidecars = spec.Items("initContainers").Where(c => c.Item.Str("restartPolicy") == "Always").Select(c => c.Item.Str("name")).ToHashSet(StringComparer.Ordinal);
            Total = Cell.Size(spec, "containers") + sidecars.Count;
            Reason = Cell.Or(status.Str("reason"), status.Str("phase"));
            if (status.Items("conditions").Any(c => c.Item.Str("type") == "PodScheduled" && c.Item.Str("reason") == "SchedulingGated"))
                Reason = "SchedulingGated";

            var initializing = Initialize(spec, status, sidecars);
            if (!initializing || Cell.Condition(status, "Initialized") == "True")
                Run(status, sidecars);

            if (pod.Obj("metadata").Has("deletionTimestamp") && status.Str("phase") is not ("Succeeded" or "Failed"))
                Reason = status.Str("reason") == "NodeLost" ? "Unknown" : "Terminating";
        }

        public string Reason { get; private set; }

        public int Ready { get; private set; }

        public int Total { get; }

        public string RestartText => restarts > 0 && lastRestart is { } at ? $"{restarts} ({HumanDuration.Text(now - at)} ago)" : restarts.ToString();

        private bool Initialize(JsonObject? spec, JsonObject? status, HashSet<string> sidecars)
        {
            foreach (var (i, container) in status.Items("initContainerStatuses"))
            {
                AddRestarts(container);
                var terminated = container.Obj("state", "terminated");
                if (terminated is not null && Cell.Count(terminated, "exitCode") == 0)
                    continue;
                if (sidecars.Contains(container.Str("name")) && container.Bool("started"))
                {
                    Ready += container.Bool("ready") ? 1 : 0;
                    continue;
                }

                var waiting = container.Obj("state", "waiting").Str("reason");
                Reason = "Init:" + (terminated is not null ? End(terminated)
                    : waiting.Length > 0 && waiting != "PodInitializing" ? waiting
                    : $"{i}/{Cell.Size(spec, "initContainers")}");
                return true;
            }

            return false;
        }

        private void Run(JsonObject? status, HashSet<string> sidecars)
        {
            // What init containers restarted before does not count any more, except of those that go on running.
            (restarts, lastRestart) = (0, null);
            foreach (var (_, container) in status.Items("initContainerStatuses").Where(c => sidecars.Contains(c.Item.Str("name"))))
                AddRestarts(container);

            var running = false;
            foreach (var (_, container) in status.Items("containerStatuses").Reverse())
            {
                AddRestarts(container);
                var state = container.Obj("state");
                if (state.Obj("waiting").Str("reason") is { Length: > 0 } waiting)
                {
                    Reason = waiting;
                }
                else if (state.Obj("terminated") is { } terminated)
                {
                    Reason = End(terminated);
                }
                else if (container.Bool("ready") && state.Has("running"))
                {
                    running = true;
                    Ready++;
                }
            }

            if (Reason == "Completed" && running)
                Reason = Cell.Condition(status, "Ready") == "True" ? "Running" : "NotReady";
        }

        private static string End(JsonObject terminated)
        {
            if (terminated.Str("reason") is { Length: > 0 } reason)
                return reason;
            return Cell.Count(terminated, "signal") is not 0 and var signal ? $"Signal:{signal}" : $"ExitCode:{Cell.Count(terminated, "exitCode")}";
        }

        private void AddRestarts(JsonObject container)
        {
            restarts += Cell.Count(container, "restartCount");
            var ended = HumanDuration.Parse(container.Obj("lastState", "terminated").Str("finishedAt"));
            if (ended > (lastRestart ?? DateTimeOffset.MinValue))
                lastRestart = ended;
        }
    }
}
