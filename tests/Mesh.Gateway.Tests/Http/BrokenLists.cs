using System.Net;
using System.Net.Sockets;
using Mesh.Api;
using Mesh.Gateway.Http;
using Mesh.Gateway.Http.Lists;
using Mesh.Gateway.Registry;
using Mesh.Gateway.Storage;
using Mesh.Hosting;
using Mesh.Security.Tokens;
using Mesh.Store.Tests.Support;
using Microsoft.AspNetCore.Http;

namespace Mesh.Gateway.Tests.Http;

/// <summary>Long lists at an old revision of a store that can be cut off in the midst of an answer, and lists that fail at an item.</summary>
public sealed class BrokenLists : OldRevisions
{
    /// <summary>Lists whose later items cannot be had.</summary>
    public const string FailingPath = "/failing";

    private StoreRelay? relay;

    private protected override int Padding => 6000;

    /// <summary>The way from the gateway to the store.</summary>
    internal StoreRelay Relay => relay!;

    public override async Task DisposeAsync()
    {
        await base.DisposeAsync();
        relay?.Dispose();
    }

    private protected override void AddMore(MeshHostBuilder builder, StaticTokens known)
    {
        var port = ServiceProcess.FreePort();
        relay = new StoreRelay(port);
        builder.Set("store", "listen", $"inproc://store,http://127.0.0.1:{port}").Set("gateway", "store", $"http://127.0.0.1:{relay.Port}");
        builder.Share<IApiDocuments>(new FailingDocument());
    }

    /// <summary>A list of pods by the gateway's own means, of which one cannot be had once the answer has begun.</summary>
    private sealed class FailingDocument : IApiDocuments
    {
        private readonly List<CacheEntry> entries = ListEncodingTests.Packed(4500);

        public async ValueTask<bool> TryHandleAsync(HttpContext context, CancellationToken ct)
        {
            if (context.Request.Path != FailingPath) return false;
            var page = new ListPage(new Failing(entries, 4400, () => context.Response.HasStarted), 77, null, null);
            await ListResponse.WriteAsync(context, ListEncodingTests.Encoder(context.Request.Headers.Accept.ToString(), context.Request.Query.ContainsKey("pretty")), page, ct);
            return true;
        }
    }

    private sealed class Failing(IReadOnlyList<CacheEntry> entries, int at, Func<bool> now) : IReadOnlyList<CacheEntry>
    {
        public int Count => entries.Count;

        public CacheEntry this[int index] => index == at && now() ? throw new ApiException(Statuses.ServiceUnavailable("the store did not answer")) : entries[index];

        public IEnumerator<CacheEntry> GetEnumerator() => entries.GetEnumerator();

        System.Collections.IEnumerator System.Collections.IEnumerable.GetEnumerator() => GetEnumerator();
    }
}

/// <summary>Passes connections on to the store until it is told how much more may pass; then the store is away.</summary>
internal sealed class StoreRelay : IDisposable
{
    private readonly TcpListener listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource stop = new();
    private readonly Lock gate = new();
    private readonly List<TcpClient> open = [];
    private readonly int store;
    private long left = long.MaxValue;

    public StoreRelay(int store)
    {
        this.store = store;
        listener.Start();
        _ = AcceptAsync();
    }

    public int Port => ((IPEndPoint)listener.LocalEndpoint).Port;

    /// <summary>Whether the store was cut off.</summary>
    public bool IsCut => Interlocked.Read(ref left) <= 0;

    /// <summary>The store may say so many bytes more.</summary>
    public void CutAfter(long bytes)
    {
        Interlocked.Exchange(ref left, bytes);
        if (bytes <= 0) CloseAll();
    }

    /// <summary>The store is there again.</summary>
    public void Mend() => Interlocked.Exchange(ref left, long.MaxValue);

    public void Dispose()
    {
        stop.Cancel();
        listener.Stop();
        CloseAll();
        stop.Dispose();
    }

    private async Task AcceptAsync()
    {
        try
        {
            while (true) _ = PassAsync(await listener.AcceptTcpClientAsync(stop.Token));
        }
        catch (Exception e) when (e is OperationCanceledException or SocketException or ObjectDisposedException)
        {
            // The end of the test.
        }
    }

    private async Task PassAsync(TcpClient from)
    {
        using var to = new TcpClient { NoDelay = true };
        from.NoDelay = true;
        lock (gate) open.Add(from);
        try
        {
            if (IsCut) return;
            await to.ConnectAsync(IPAddress.Loopback, store, stop.Token);
            await Task.WhenAny(CopyAsync(from, to, counted: false), CopyAsync(to, from, counted: true));
        }
        catch (Exception e) when (e is IOException or SocketException or OperationCanceledException or ObjectDisposedException)
        {
            // One side has gone.
        }
        finally
        {
            lock (gate) open.Remove(from);
            from.Dispose();
        }
    }

    private async Task CopyAsync(TcpClient from, TcpClient to, bool counted)
    {
        var buffer = new byte[16 * 1024];
        try
        {
            while (await from.GetStream().ReadAsync(buffer, stop.Token) is var read and > 0)
            {
                if (counted && Interlocked.Add(ref left, -read) <= 0)
                {
                    CloseAll();
                    return;
                }

                await to.GetStream().WriteAsync(buffer.AsMemory(0, read), stop.Token);
            }
        }
        catch (Exception e) when (e is IOException or SocketException or OperationCanceledException or ObjectDisposedException or InvalidOperationException)
        {
            // One side has gone.
        }
    }

    private void CloseAll()
    {
        lock (gate)
        {
            foreach (var client in open) client.Dispose();
            open.Clear();
        }
    }
}
