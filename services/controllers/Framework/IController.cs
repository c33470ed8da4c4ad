using Mesh.Client;
using Microsoft.Extensions.Logging;

namespace Mesh.Controllers.Framework;

/// <summary>One controller: watches some kinds, decides, acts.</summary>
public interface IController
{
    /// <summary>Name as in kube-controller-manager's --controllers ("replicaset-controller").</summary>
    string Name { get; }

    /// <summary>Works until cancelled.</summary>
    Task RunAsync(CancellationToken ct);
}

/// <summary>Says which keys this process is to work on when several share the work.</summary>
public interface IKeyOwnership
{
    /// <summary>True when the key is ours now.</summary>
    bool Owns(ObjectKey key);

    /// <summary>Raised when the answer may have changed: every controller looks at all of its keys again.</summary>
    event Action? Changed;
}

/// <summary>A single worker owns everything.</summary>
public sealed class WholeOwnership : IKeyOwnership
{
    /// <inheritdoc />
    public event Action? Changed
    {
        add { }
        remove { }
    }

    /// <inheritdoc />
    public bool Owns(ObjectKey key) => true;
}

/// <summary>What every controller is made with.</summary>
public sealed class ControllerContext(
    IKubeClient client, IInformerFactory informers, ILoggerFactory loggers, ControllersOptions options, TimeProvider time, WorkQueueMetrics? metrics = null)
{
    /// <summary>Writes.</summary>
    public IKubeClient Client { get; } = client;

    /// <summary>Reads.</summary>
    public IInformerFactory Informers { get; } = informers;

    /// <summary>Logs.</summary>
    public ILoggerFactory Loggers { get; } = loggers;

    /// <summary>The service's options.</summary>
    public ControllersOptions Options { get; } = options;

    /// <summary>The clock.</summary>
    public TimeProvider Time { get; } = time;

    /// <summary>Metrics of the work queues.</summary>
    public WorkQueueMetrics? Metrics { get; } = metrics;

    /// <summary>Which keys are ours.</summary>
    public IKeyOwnership Ownership { get; init; } = new WholeOwnership();

    /// <summary>Makes the recorder of a component; tests replace it.</summary>
    public Func<string, IEventRecorder>? RecorderFactory { get; init; }

    /// <summary>Now, UTC.</summary>
    public DateTime Now => Time.GetUtcNow().UtcDateTime;

    /// <summary>The event recorder of a component.</summary>
    public IEventRecorder Recorder(string component) =>
        RecorderFactory?.Invoke(component) ?? new EventRecorder(Client, component, Loggers.CreateLogger("Mesh.Controllers.Events"), Time);
}
