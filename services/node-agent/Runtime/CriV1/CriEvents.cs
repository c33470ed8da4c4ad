using System.Runtime.CompilerServices;
using System.Threading.Channels;
using Grpc.Core;
using Mesh.NodeAgent.ContainerdApi;

namespace Mesh.NodeAgent.Runtime.CriV1;

/// <summary>
/// The runtime's news: CRI's own event stream where the runtime has one, containerd's event service where it has not.
/// Ends when the connection ends.
/// </summary>
internal sealed class CriEvents(CriConnection connection, CriRuntime runtime)
{
    /// <summary>CRI updates its own records from the same event we get: how long to wait for it to have done so.</summary>
    private static readonly TimeSpan SettleStep = TimeSpan.FromMilliseconds(10);

    public async IAsyncEnumerable<RuntimeEvent> WatchAsync([EnumeratorCancellation] CancellationToken ct)
    {
        using var call = connection.Runtime.GetContainerEvents(new Cri.GetEventsRequest(), cancellationToken: ct);
        var supported = true;
        while (true)
        {
            try
            {
                if (!await call.ResponseStream.MoveNext(ct))
                    break;
            }
            catch (RpcException e) when (e.StatusCode == StatusCode.Unimplemented)
            {
                supported = false;
                break;
            }
            catch (RpcException)
            {
                break;
            }

            var news = call.ResponseStream.Current;
            yield return new RuntimeEvent(news.PodSandboxStatus?.Metadata?.Uid ?? "", news.ContainerId);
        }

        if (supported)
            yield break;
        await foreach (var news in WatchContainerdAsync(ct))
            yield return news;
    }

    private async IAsyncEnumerable<RuntimeEvent> WatchContainerdAsync([EnumeratorCancellation] CancellationToken ct)
    {
        var request = new SubscribeRequest();
        request.Filters.Add("topic~=\"^/tasks/(start|exit|oom)\"");
        var metadata = new Metadata { { "containerd-namespace", "k8s.io" } };
        using var call = connection.Events.Subscribe(request, metadata, cancellationToken: ct);
        var news = Channel.CreateUnbounded<RuntimeEvent>();
        var pump = PumpAsync(call.ResponseStream, news.Writer, ct);
        await foreach (var one in news.Reader.ReadAllAsync(ct))
            yield return one;
        await pump;
    }

    /// <summary>Reads until the connection ends. Each event is looked into on its own: one that settles slowly does not hold up the others.</summary>
    private async Task PumpAsync(IAsyncStreamReader<Envelope> events, ChannelWriter<RuntimeEvent> news, CancellationToken ct)
    {
        try
        {
            while (await events.MoveNext(ct))
                _ = TellAsync(events.Current, news, ct);
        }
        catch (RpcException)
        {
            // The end: the caller watches again and looks at everything.
        }
        finally
        {
            news.TryComplete();
        }
    }

    private async Task TellAsync(Envelope envelope, ChannelWriter<RuntimeEvent> news, CancellationToken ct)
    {
        if (envelope.Namespace != "k8s.io" || envelope.Event is null)
            return;
        var payload = TaskExit.Parser.ParseFrom(envelope.Event.Value);
        var exit = envelope.Topic == "/tasks/exit";
        if (exit && payload.Id.Length > 0 && payload.Id != payload.ContainerId)
            return;
        string? uid = null;
        try
        {
            uid = await PodOfAsync(payload.ContainerId, ct);
            if (exit && uid is { Length: > 0 })
                await SettleAsync(uid, payload.ContainerId, ct);
        }
        catch (OperationCanceledException)
        {
            // Nobody waits for it any more, or everything is looked at anyway.
        }

        news.TryWrite(new RuntimeEvent(uid ?? "", payload.ContainerId));
    }

    private async Task<string?> PodOfAsync(string containerId, CancellationToken ct)
    {
        try
        {
            return await runtime.FindPodOfContainerAsync(containerId, ct);
        }
        catch (RuntimeException)
        {
            return null;
        }
    }

    private async Task SettleAsync(string uid, string containerId, CancellationToken ct)
    {
        for (var attempt = 0; attempt < 20; attempt++)
        {
            try
            {
                var state = await runtime.InspectPodAsync(uid, ct);
                var container = state.Containers.FirstOrDefault(c => c.Id == containerId);
                var settled = container is null
                    ? state.Sandboxes.All(s => s.Id != containerId || !s.Ready)
                    : container.Phase == ContainerPhase.Exited;
                if (settled)
                    return;
            }
            catch (RuntimeException)
            {
                return;
            }

            await Task.Delay(SettleStep, ct);
        }
    }
}
