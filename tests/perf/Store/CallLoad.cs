using System.Diagnostics;

namespace Mesh.Perf.Store;

/// <summary>Callers that each have one call under way, spread over connections; a thread a connection.</summary>
internal static class CallLoad
{
    /// <summary>Runs for so many seconds; <paramref name="message"/> makes the request of a caller's n-th call. Gives milliseconds of each call.</summary>
    public static async Task<double[]> RunAsync(string address, string path, int callers, int connections, double seconds, Func<int, int, byte[]> message)
    {
        connections = Math.Min(connections, callers);
        var threads = Enumerable.Range(0, connections).Select(c => Task.Factory.StartNew(
            () => Connection(address, path, Enumerable.Range(0, callers).Where(i => i % connections == c).ToArray(), seconds, message), TaskCreationOptions.LongRunning));
        return [.. (await Task.WhenAll(threads)).SelectMany(t => t)];
    }

    private static List<double> Connection(string address, string path, int[] callers, double seconds, Func<int, int, byte[]> message)
    {
        using var wire = new Http2Wire(address, path);
        var times = new List<double>(100_000);
        var numbers = new int[callers.Length];
        var open = new Dictionary<int, (int Slot, long Start)>();
        var answered = new HashSet<int>();
        var ready = new Queue<int>(Enumerable.Range(0, callers.Length));
        var stream = 1;
        var end = Stopwatch.GetTimestamp() + (long)(seconds * Stopwatch.Frequency);
        while (true)
        {
            while (Stopwatch.GetTimestamp() < end && ready.TryPeek(out var slot))
            {
                var request = message(callers[slot], numbers[slot]);
                if (wire.SendWindow < request.Length + 5) break;
                ready.Dequeue();
                numbers[slot]++;
                wire.Request(stream, request, end: true);
                open.Add(stream, (slot, Stopwatch.GetTimestamp()));
                stream += 2;
            }

            wire.Send();
            if (open.Count == 0 && Stopwatch.GetTimestamp() >= end) return times;
            if (!wire.Receive(OnFrame)) throw new IOException("the server closed the connection");
        }

        void OnFrame(byte type, byte flags, int id, ReadOnlySpan<byte> payload)
        {
            if (type == Http2Wire.Data) answered.Add(id);
            if (type != Http2Wire.Headers || (flags & 1) == 0) return;
            if (!answered.Remove(id)) throw new IOException("a call failed: it has no answer, only a status");
            open.Remove(id, out var call);
            times.Add(Stopwatch.GetElapsedTime(call.Start).TotalMilliseconds);
            ready.Enqueue(call.Slot);
        }
    }
}
