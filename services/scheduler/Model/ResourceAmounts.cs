using Mesh.Api;
using Mesh.Api.Core.V1;

namespace Mesh.Scheduler.Model;

/// <summary>What a pod asks for, by resource.</summary>
internal sealed record ResourceAmounts(long Cpu, long Memory, long Ephemeral, long ScoreCpu, long ScoreMemory, IReadOnlyDictionary<string, long> Extended)
{
    /// <summary>
    /// The larger of all containers together and the hungriest init container, sidecars counted with both, plus the overhead of the
    /// runtime class. Requests at the pod level stand in their place.
    /// </summary>
    public static ResourceAmounts Of(PodSpec spec)
    {
        var running = new Dictionary<string, long>();
        foreach (var container in spec.Containers ?? []) Add(running, container.Resources?.Requests);
        var sidecars = new Dictionary<string, long>();
        var starting = new Dictionary<string, long>();
        foreach (var init in spec.InitContainers ?? [])
        {
            if (init.RestartPolicy == "Always")
            {
                Add(sidecars, init.Resources?.Requests);
                Add(running, init.Resources?.Requests);
                Most(starting, sidecars);
                continue;
            }

            var moment = new Dictionary<string, long>(sidecars);
            Add(moment, init.Resources?.Requests);
            Most(starting, moment);
        }

        Most(running, starting);
        var score = Score(spec, running);
        foreach (var (name, text) in spec.Resources?.Requests ?? [])
        {
            running[name] = Amount(name, text);
            if (name == "cpu") score.Cpu = running[name];
            if (name == "memory") score.Memory = running[name];
        }

        Add(running, spec.Overhead);
        if (spec.Overhead?.GetValueOrDefault("cpu") is { } cpu) score.Cpu += Amount("cpu", cpu);
        if (spec.Overhead?.GetValueOrDefault("memory") is { } memory) score.Memory += Amount("memory", memory);
        var extended = running.Where(r => IsExtended(r.Key)).ToDictionary(r => r.Key, r => r.Value);
        return new ResourceAmounts(
            running.GetValueOrDefault("cpu"), running.GetValueOrDefault("memory"), running.GetValueOrDefault("ephemeral-storage"), score.Cpu, score.Memory, extended);
    }

    /// <summary>A quantity in the unit we count: millicores for CPU, whole units else. What cannot be read counts as none.</summary>
    public static long Amount(string resource, string? text) => !Quantity.TryParse(text, out var quantity) ? 0 : resource == "cpu" ? quantity.MilliValue : quantity.Value;

    /// <summary>Whether the resource is counted under its own name (devices, huge pages).</summary>
    public static bool IsExtended(string resource) => resource is not ("cpu" or "memory" or "ephemeral-storage" or "pods");

    private static (long Cpu, long Memory) Score(PodSpec spec, Dictionary<string, long> running)
    {
        long cpu = 0;
        long memory = 0;
        foreach (var container in spec.Containers ?? [])
        {
            var requests = container.Resources?.Requests;
            cpu += requests?.GetValueOrDefault("cpu") is { } c ? Amount("cpu", c) : PodDemand.DefaultScoreCpu;
            memory += requests?.GetValueOrDefault("memory") is { } m ? Amount("memory", m) : PodDemand.DefaultScoreMemory;
        }

        return (Math.Max(cpu, running.GetValueOrDefault("cpu")), Math.Max(memory, running.GetValueOrDefault("memory")));
    }

    private static void Add(Dictionary<string, long> sum, Dictionary<string, string>? amounts)
    {
        foreach (var (name, text) in amounts ?? []) sum[name] = sum.GetValueOrDefault(name) + Amount(name, text);
    }

    private static void Most(Dictionary<string, long> most, Dictionary<string, long> other)
    {
        foreach (var (name, amount) in other) most[name] = Math.Max(most.GetValueOrDefault(name), amount);
    }
}
