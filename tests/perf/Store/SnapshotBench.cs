using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.Text;
using Google.Protobuf;
using Mesh.Store;
using Mesh.Store.Commit;
using Mesh.Store.Files;
using Mesh.Store.Wire;
using Microsoft.Extensions.Logging.Abstractions;
using Pb = Mesh.Rpc.Etcd;

namespace Mesh.Perf.Store;

/// <summary>
/// What snapshots cost: a store in this process holds much and is changed a little, over and over. Counts the bytes and times of every file written under snap/,
/// the log beside them, and what a restart takes.
/// <c>snapshots [--live MB] [--hot N] [--log MB] [--keep PUTS] [--dir DIR]</c>
/// </summary>
internal static class SnapshotBench
{
    private const int ValueBytes = 6000; // a pod with its status and managedFields
    private const int Together = 64; // in a transaction: it is the snapshots that are measured, not fdatasync

    public static async Task<int> RunAsync(string[] args)
    {
        var live = Number(args, "--live", 200);
        var hot = Number(args, "--hot", 500);
        var log = Number(args, "--log", 600);
        var keep = Number(args, "--keep", 3000);
        var directory = Option(args, "--dir") ?? Path.Combine(Directory.GetCurrentDirectory(), "bench-snapshots-" + Environment.ProcessId);
        var files = new CountingFiles();
        var options = new StoreOptions { DataDir = directory, AutoCompaction = AutoCompactionMode.Off };
        try
        {
            var keys = live * 1_000_000 / ValueBytes;
            await using (var engine = StoreEngine.Open(options, files, TimeProvider.System, NullLogger.Instance))
            {
                await PutAsync(engine, keys, i => i, keep: long.MaxValue);
                await SettledAsync(files);
                Console.WriteLine($"loaded {keys} keys; snapshots meanwhile: {files.Describe()}");
                files.Clear();
                var puts = log * 1_000_000 / ValueBytes;
                var clock = Stopwatch.StartNew();
                await PutAsync(engine, puts, i => (int)((i * 7919L) % hot) * (keys / hot), keep);
                var elapsed = clock.Elapsed;
                await SettledAsync(files);
                Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{puts} puts to {hot} of them ({puts / elapsed.TotalSeconds:F0}/s): {files.Describe()}"));
            }

            foreach (var part in (string[])["snap", "wal"])
                Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{part}: {Directory.GetFiles(Path.Combine(directory, part)).Length} files, {Directory.GetFiles(Path.Combine(directory, part)).Sum(f => new FileInfo(f).Length) / 1e6:F0} MB"));
            for (var i = 0; i < 3; i++)
            {
                GC.Collect();
                var (clock, cpu) = (Stopwatch.StartNew(), Environment.CpuUsage.TotalTime);
                await using var again = StoreEngine.Open(options, new DiskFiles(), TimeProvider.System, NullLogger.Instance);
                Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"restart: {clock.Elapsed.TotalMilliseconds:F0} ms, {(Environment.CpuUsage.TotalTime - cpu).TotalMilliseconds:F0} ms of CPU, {again.Store.KeyCount} keys"));
            }
        }
        finally
        {
            if (Directory.Exists(directory)) Directory.Delete(directory, recursive: true);
        }

        return 0;
    }

    private static async Task PutAsync(StoreEngine engine, int count, Func<int, int> key, long keep)
    {
        for (var at = 0; at < count;)
        {
            var before = at;
            var txn = new Pb.TxnRequest();
            for (var n = 0; n < Together; n++, at++)
            {
                var name = "/registry/pods/default/pod-" + key(at).ToString("D8", CultureInfo.InvariantCulture);
                txn.Success.Add(new Pb.RequestOp { RequestPut = new Pb.PutRequest { Key = ByteString.CopyFromUtf8(name), Value = UnsafeByteOperations.UnsafeWrap(Value(at)) } });
            }

            var payload = txn.ToByteArray();
            await engine.TxnAsync(KvRequestDecoder.Txn(payload), payload);
            // The history of so many puts is kept.
            var revision = engine.Store.Published.Revision;
            if (before / keep != at / keep && revision > keep / Together) await engine.ProposeAsync(new CompactCommand(revision - (keep / Together)));
        }
    }

    private static byte[] Value(int number)
    {
        var text = new StringBuilder($"{{\"number\":\"{number}\",\"spread\":\"");
        var state = (uint)number * 2654435761;
        while (text.Length < ValueBytes)
        {
            state = (state * 1664525) + 1013904223;
            text.Append((state >> 8).ToString("x6", CultureInfo.InvariantCulture)).Append("-part-of-a-value-that-is-like-others-");
        }

        return Encoding.UTF8.GetBytes(text.ToString(0, ValueBytes));
    }

    /// <summary>Until what is being written is done.</summary>
    private static async Task SettledAsync(CountingFiles files)
    {
        for (var quiet = 0; quiet < 5; quiet = files.Writing ? 0 : quiet + 1) await Task.Delay(100);
    }

    private static int Number(string[] args, string name, int otherwise) => Option(args, name) is { } text ? int.Parse(text, CultureInfo.InvariantCulture) : otherwise;

    private static string? Option(string[] args, string name) => Array.IndexOf(args, name) is >= 0 and var at && at + 1 < args.Length ? args[at + 1] : null;

    /// <summary>The disk, with what was written to snapshots counted from a file's creation to its rename.</summary>
    private sealed class CountingFiles : IStoreFiles
    {
        private readonly DiskFiles _disk = new();
        private readonly ConcurrentDictionary<string, (long Started, long Bytes)> _open = new();
        private readonly ConcurrentQueue<(long Bytes, double Milliseconds)> _written = new();

        public bool Writing => !_open.IsEmpty;

        public void Clear() => _written.Clear();

        public string Describe()
        {
            var times = _written.Select(w => w.Milliseconds).Order().ToList();
            if (times.Count == 0) return "no snapshots";
            return string.Create(CultureInfo.InvariantCulture,
                $"{times.Count} snapshots, {_written.Sum(w => w.Bytes) / 1e6:F0} MB, each {_written.Min(w => w.Bytes) / 1e6:F1} to {_written.Max(w => w.Bytes) / 1e6:F1} MB, in p50 {times[times.Count / 2]:F0}, most {times[^1]:F0} ms, together {times.Sum():F0} ms");
        }

        public void CreateDirectory(string path) => _disk.CreateDirectory(path);

        public IReadOnlyList<string> List(string directory) => _disk.List(directory);

        public IStoreFile Create(string path, long length) => _disk.Create(path, length);

        public void Prepare(string directory, long length) => _disk.Prepare(directory, length);

        public void Abandon(string directory) => _disk.Abandon(directory);

        public IDisposable Lock(string directory) => _disk.Lock(directory);

        public void Delete(string path) => _disk.Delete(path);

        public void SyncDirectory(string path) => _disk.SyncDirectory(path);

        public IStoreFile Open(string path, bool create)
        {
            var file = _disk.Open(path, create);
            if (!create || !path.EndsWith(".tmp", StringComparison.Ordinal)) return file;
            _open[path] = (Stopwatch.GetTimestamp(), 0);
            return new Counted(this, path, file);
        }

        public void Rename(string from, string to)
        {
            _disk.Rename(from, to);
            if (_open.TryRemove(from, out var done)) _written.Enqueue((done.Bytes, Stopwatch.GetElapsedTime(done.Started).TotalMilliseconds));
        }

        private sealed class Counted(CountingFiles files, string path, IStoreFile file) : IStoreFile
        {
            public long Length => file.Length;

            public int Read(Span<byte> buffer, long offset) => file.Read(buffer, offset);

            public void Write(ReadOnlySpan<byte> bytes, long offset)
            {
                file.Write(bytes, offset);
                var (started, before) = files._open[path];
                files._open[path] = (started, before + bytes.Length);
            }

            public void WriteDurably(ReadOnlySpan<byte> bytes, long offset)
            {
                Write(bytes, offset);
                file.Sync();
            }

            public void Allocate(long length) => file.Allocate(length);

            public void SetLength(long length) => file.SetLength(length);

            public void Sync() => file.Sync();

            public void Dispose() => file.Dispose();
        }
    }
}
