using System.Threading.Channels;
using Mesh.Api;
using Mesh.Api.Core.V1;
using Mesh.Api.Meta.V1;
using Microsoft.Extensions.Logging;

namespace Mesh.Client;

/// <summary>Tells users what happened to an object; what <c>kubectl describe</c> shows under Events.</summary>
public interface IEventRecorder
{
    /// <summary>Records an event about the object. Returns at once; events are best effort and may be dropped under load.</summary>
    /// <param name="about">The object the event is about.</param>
    /// <param name="type">"Normal" or "Warning".</param>
    /// <param name="reason">CamelCase word ("SuccessfulCreate").</param>
    /// <param name="message">The sentence users read.</param>
    void Event(ObjectReference about, string type, string reason, string message);
}

/// <summary>Shorthands of <see cref="IEventRecorder"/>.</summary>
public static class EventRecorderExtensions
{
    /// <summary>Records a Normal event about an object.</summary>
    public static void Normal(this IEventRecorder recorder, IKubeObject about, string reason, string message) =>
        recorder?.Event(Reference(about), "Normal", reason, message);

    /// <summary>Records a Warning event about an object.</summary>
    public static void Warning(this IEventRecorder recorder, IKubeObject about, string reason, string message) =>
        recorder?.Event(Reference(about), "Warning", reason, message);

    /// <summary>A reference to the object as events carry it.</summary>
    public static ObjectReference Reference(IKubeObject about)
    {
        ArgumentNullException.ThrowIfNull(about);
        return new ObjectReference
        {
            ApiVersion = about.ApiVersion,
            Kind = about.Kind,
            Namespace = about.Metadata.Namespace,
            Name = about.Metadata.Name,
            Uid = about.Metadata.Uid,
            ResourceVersion = about.Metadata.ResourceVersion,
        };
    }
}

/// <summary>
/// Writes core/v1 Events in the background: correlates (see <see cref="EventCorrelator"/>), creates or counts up, and drops
/// what cannot be written. The queue holds 1000; past that the newest are dropped, never the caller blocked.
/// </summary>
public sealed class EventRecorder : IEventRecorder, IAsyncDisposable
{
    private readonly IKubeClient _client;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly EventSource _source;
    private readonly EventCorrelator _correlator;
    private readonly Channel<Event> _queue = Channel.CreateBounded<Event>(
        new BoundedChannelOptions(1000) { FullMode = BoundedChannelFullMode.DropWrite, SingleReader = true });

    private readonly CancellationTokenSource _stop = new();
    private readonly Task _writer;
    private long _lastNanos;

    /// <summary>A recorder for one component ("replicaset-controller") on an optional host (the node's name for node agents).</summary>
    public EventRecorder(IKubeClient client, string component, ILogger logger, TimeProvider? time = null, string? host = null)
    {
        _client = client;
        _logger = logger;
        _time = time ?? TimeProvider.System;
        _source = new EventSource { Component = component, Host = host };
        _correlator = new EventCorrelator(_time);
        _writer = Task.Run(WriteAsync);
    }

    /// <inheritdoc />
    public void Event(ObjectReference about, string type, string reason, string message)
    {
        ArgumentNullException.ThrowIfNull(about);
        var now = _time.GetUtcNow().UtcDateTime;
        var ns = string.IsNullOrEmpty(about.Namespace) ? "default" : about.Namespace;
        _queue.Writer.TryWrite(new Event
        {
            Metadata = new ObjectMeta { Namespace = ns, Name = $"{about.Name}.{UniqueSuffix(now):x}" },
            InvolvedObject = about,
            Reason = reason,
            Message = message.Length <= 1024 ? message : message[..1024],
            Source = _source,
            FirstTimestamp = now,
            LastTimestamp = now,
            Count = 1,
            Type = type,
            ReportingComponent = _source.Component,
            ReportingInstance = _source.Host,
        });
    }

    /// <summary>Writes what is queued, at most for 2 s, and ends.</summary>
    public async ValueTask DisposeAsync()
    {
        _queue.Writer.TryComplete();
        _stop.CancelAfter(TimeSpan.FromSeconds(2));
        await _writer.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _stop.Dispose();
    }

    /// <summary>Nanoseconds since the epoch, made unique: two events of one instant must not share a name.</summary>
    private long UniqueSuffix(DateTime now)
    {
        var nanos = (now - DateTime.UnixEpoch).Ticks * 100;
        while (true)
        {
            var last = Interlocked.Read(ref _lastNanos);
            var next = Math.Max(nanos, last + 1);
            if (Interlocked.CompareExchange(ref _lastNanos, next, last) == last) return next;
        }
    }

    private async Task WriteAsync()
    {
        await foreach (var e in _queue.Reader.ReadAllAsync(_stop.Token).ConfigureAwait(false))
        {
            try
            {
                if (_correlator.Correlate(e) is not { } write) continue;
                _correlator.Written(write, await PutAsync(write).ConfigureAwait(false));
            }
            catch (Exception error) when (!_stop.IsCancellationRequested)
            {
                ClientLog.EventDropped(_logger, e.Reason ?? "", e.Metadata.Namespace ?? "", e.InvolvedObject?.Name ?? "", error.Message);
            }
        }
    }

    private async Task<Event> PutAsync(CorrelatedEvent write)
    {
        if (write.IsRepeat)
        {
            try
            {
                var patch = EventCorrelator.CountPatch(write.Event);
                return await _client.PatchAsync<Event>(
                    write.Event.Metadata.Namespace, write.Event.Metadata.Name!, PatchType.Merge, patch, ct: _stop.Token).ConfigureAwait(false);
            }
            catch (ApiException e) when (e.IsNotFound)
            {
                write.Event.Metadata.ResourceVersion = null; // expired meanwhile: it starts a new life
            }
        }

        return await _client.CreateAsync(write.Event, _stop.Token).ConfigureAwait(false);
    }
}
