using Mesh.Store.Tests.Support;

namespace Mesh.Store.Tests.Proofs;

/// <summary>
/// A store whose disk is slow at times, stalls at times, and whose machine loses power at times: a fresh store opens on what the disk has then. Clients
/// ask for the engine of the present life; an answer that arrives after the crash was never heard.
/// </summary>
internal sealed class ChaosStore : IAsyncDisposable
{
    private readonly Lock _gate = new();
    private readonly Random _random;
    private readonly Action<StoreOptions> _change;
    private readonly History _history;
    private MemoryFiles _files = new();
    private MemoryFiles? _image;
    private TaskCompletionSource<StoreEngine> _engine = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private TaskCompletionSource _crashed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _life;
    private int _syncsLeft;

    public ChaosStore(int seed, History history, KnownBugs bugs = KnownBugs.None)
    {
        (_random, _history) = (new Random(seed), history);
        _change = o => (o.SegmentBytes, o.Bugs) = (16384, bugs);
    }

    /// <summary>Crashes so far.</summary>
    public int Life => Volatile.Read(ref _life);

    /// <summary>Runs clients through so many crashes, and a last life without one.</summary>
    public async Task RunAsync(int crashes, Func<CancellationToken, IEnumerable<Task>> clients)
    {
        using var stop = new CancellationTokenSource();
        Open(crashes > 0);
        var running = Task.WhenAll(clients(stop.Token));
        for (var crash = 1; crash <= crashes; crash++)
        {
            await _crashed.Task.WaitAsync(TimeSpan.FromSeconds(60));
            var old = await _engine.Task;
            lock (_gate)
            {
                _engine = new TaskCompletionSource<StoreEngine>(TaskCreationOptions.RunContinuationsAsynchronously);
                _crashed = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            }

            await old.DisposeAsync();
            _files = _image!;
            Open(crash < crashes);
        }

        await Task.Delay(50);
        await stop.CancelAsync();
        await running.WaitAsync(TimeSpan.FromSeconds(60));
    }

    /// <summary>One call of a client. <paramref name="call"/> does it; <paramref name="heard"/> notes the answer, if the client lived to hear it.</summary>
    public async Task<bool> CallAsync<T>(Func<StoreEngine, Task<T>> call, Action<T> heard)
    {
        var (engine, life) = await PresentAsync();
        T answer;
        try
        {
            answer = await call(engine);
        }
        catch (StoreException e) when (e.Code == Grpc.Core.StatusCode.Unavailable)
        {
            return false;
        }

        return Heard(life, () => heard(answer));
    }

    /// <summary>The engine of this life and its number.</summary>
    public async Task<(StoreEngine Engine, int Life)> PresentAsync()
    {
        while (true)
        {
            Task<StoreEngine> opening;
            lock (_gate) opening = _engine.Task;
            var engine = await opening;
            lock (_gate)
            {
                if (ReferenceEquals(_engine.Task, opening) && _image is null) return (engine, _life);
            }

            await Task.Delay(1);
        }
    }

    /// <summary>Runs the note in the life it belongs to; false when that is over.</summary>
    public bool Heard(int life, Action note)
    {
        lock (_gate)
        {
            if (_life != life) return false;
            note();
            return true;
        }
    }

    public async ValueTask DisposeAsync() => await (await _engine.Task).DisposeAsync();

    private void Open(bool doomed)
    {
        var files = _files;
        lock (_gate)
        {
            _image = null;
            _syncsLeft = doomed ? _random.Next(20, 60) : int.MaxValue;
        }

        files.BeforeSync = () => BeforeSync(files);
        var engine = Kv.Open(files, change: _change);
        _history.Add(new { life = _life, recovered = engine.Store.Published.Revision });
        _engine.SetResult(engine);
    }

    private void BeforeSync(MemoryFiles files)
    {
        int mood;
        bool last;
        lock (_gate) (mood, last) = (_random.Next(100), _syncsLeft == 1);
        if (mood < 3 || last) Thread.Sleep(20); // a stall, and always one before the end: readers shall have seen what there is to see
        else if (mood < 40) Thread.Sleep(1);
        lock (_gate)
        {
            if (!ReferenceEquals(files, _files) || !_engine.Task.IsCompleted || --_syncsLeft != 0) return;
            _image = files.Crash(_random);
            _life++;
            _crashed.SetResult();
        }
    }
}
