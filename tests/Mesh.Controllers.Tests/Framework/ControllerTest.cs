using Mesh.Api.Core.V1;
using Mesh.Client;
using Mesh.Client.Testing;
using Mesh.Controllers.Framework;
using Microsoft.Extensions.Logging.Abstractions;

namespace Mesh.Controllers.Tests.Framework;

/// <summary>A cluster in memory with running informers; controllers are driven until nothing changes any more.</summary>
public abstract class ControllerTest : IAsyncDisposable
{
    private readonly CancellationTokenSource _stop = new();
    private readonly InformerFactory _informers;
    private Task _running = Task.CompletedTask;

    protected ControllerTest()
    {
        Client = new FakeKubeClient(Time);
        _informers = new InformerFactory(Client, NullLoggerFactory.Instance);
        Context = new ControllerContext(Client, _informers, NullLoggerFactory.Instance, Options, Time) { RecorderFactory = _ => Events };
    }

    protected ManualTime Time { get; } = new();

    protected ControllersOptions Options { get; } = new();

    protected FakeKubeClient Client { get; }

    protected ControllerContext Context { get; }

    protected RecordedEvents Events { get; } = new();

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _running;
        _stop.Dispose();
        GC.SuppressFinalize(this);
    }

    /// <summary>Starts the informers the controllers asked for.</summary>
    internal async Task StartAsync(params KeyedController[] controllers)
    {
        _running = _informers.RunAsync(_stop.Token);
        foreach (var c in controllers) await c.SyncedAsync(_stop.Token).WaitAsync(TimeSpan.FromSeconds(20));
    }

    /// <summary>Lets the controllers work until the condition holds; fails with its name when it never does.</summary>
    internal Task SettleAsync(Func<bool> condition, string what, params KeyedController[] controllers)
    {
        var looks = 0;
        return Eventually.TrueAsync(
            () =>
            {
                // A write on a cache that was behind is refused and waits a few milliseconds of this clock for its next try.
                if (++looks > 20) Time.Advance(TimeSpan.FromMilliseconds(5));
                foreach (var c in controllers) c.DrainAsync().GetAwaiter().GetResult();
                return condition();
            },
            what,
            seconds: 60);
    }

    /// <summary>What a node agent would do: all pods of the cluster run and are ready.</summary>
    protected void RunPods(Func<Pod, bool>? where = null, bool ready = true)
    {
        foreach (var pod in Client.All<Pod>())
        {
            if (pod.Metadata.DeletionTimestamp is not null || (where is not null && !where(pod))) continue;
            if (pod.Status?.Conditions?.Exists(c => c.Type == "Ready" && c.Status == (ready ? "True" : "False")) == true) continue;
            pod.Status = new PodStatus
            {
                Phase = "Running",
                PodIP = pod.Status?.PodIP ?? "10.244.0." + (1 + (Math.Abs(StringComparer.Ordinal.GetHashCode(pod.Metadata.Name!)) % 250)),
                Conditions = [new PodCondition { Type = "Ready", Status = ready ? "True" : "False", LastTransitionTime = Time.Now }],
            };
            Client.Seed(pod);
        }
    }
}

public sealed class RecordedEvents : IEventRecorder
{
    private readonly List<string> _events = [];

    public IReadOnlyList<string> All
    {
        get
        {
            lock (_events) return [.. _events];
        }
    }

    public void Event(ObjectReference about, string type, string reason, string message)
    {
        lock (_events) _events.Add($"{type} {reason}: {message}");
    }
}
