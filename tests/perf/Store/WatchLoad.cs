using System.Buffers.Binary;
using System.Diagnostics;
using Google.Protobuf;
using Pb = Mesh.Rpc.Etcd;

namespace Mesh.Perf.Store;

/// <summary>Events to many watchers, several of them on each of a few connections, while a writer puts at a steady pace. Every event of every watcher is
/// checked against the one before: none lost, none doubled, none out of order.</summary>
internal static class WatchLoad
{
    private const int Connections = 4;

    /// <summary>Lags in milliseconds from before the put to the event's arrival.</summary>
    public static async Task<double[]> RunAsync(string address, int watchers, int events, int perSecond)
    {
        var ready = new CountdownEvent(watchers);
        var readers = Enumerable.Range(0, Connections).Select(c => Task.Factory.StartNew(
            () => Reader(address, Enumerable.Range(0, watchers).Count(w => w % Connections == c), events, ready), TaskCreationOptions.LongRunning)).ToArray();
        if (!ready.Wait(TimeSpan.FromSeconds(30))) throw new TimeoutException("the watches do not begin");
        await Task.Factory.StartNew(() => Writer(address, events, perSecond), TaskCreationOptions.LongRunning);
        return [.. (await Task.WhenAll(readers)).SelectMany(l => l)];
    }

    private static void Writer(string address, int events, int perSecond)
    {
        using var wire = new Http2Wire(address, "/etcdserverpb.KV/Put");
        var value = new byte[256];
        var begun = Stopwatch.GetTimestamp();
        int sent = 0, done = 0;
        while (done < events)
        {
            var due = Math.Min(events, (int)(Stopwatch.GetElapsedTime(begun).TotalSeconds * perSecond) + 1);
            while (sent < due && sent - done < 200 && wire.SendWindow > 1000)
            {
                BinaryPrimitives.WriteInt64LittleEndian(value, Stopwatch.GetTimestamp());
                wire.Request((sent * 2) + 1, new Pb.PutRequest { Key = StoreBench.Key("e/", sent % 1000), Value = ByteString.CopyFrom(value) }.ToByteArray(), end: true);
                sent++;
            }

            wire.Send();
            if (done < sent) wire.Receive((type, flags, _, _) => done += type == Http2Wire.Headers && (flags & 1) != 0 ? 1 : 0);
            else Thread.Sleep(1);
        }
    }

    private static List<double> Reader(string address, int watchers, int events, CountdownEvent ready)
    {
        using var wire = new Http2Wire(address, "/etcdserverpb.Watch/Watch");
        var create = new Pb.WatchRequest { CreateRequest = new Pb.WatchCreateRequest { Key = ByteString.CopyFromUtf8("e/"), RangeEnd = ByteString.CopyFromUtf8("e0") } }.ToByteArray();
        wire.Request(1, create, end: false);
        for (var i = 1; i < watchers; i++) wire.Message(1, create, end: false);
        wire.Send();
        var lags = new List<double>(watchers * events);
        var last = new Dictionary<long, long>();
        var message = new List<byte>();
        while (lags.Count < watchers * events)
        {
            if (!wire.Receive(OnFrame)) throw new IOException("the server closed the watch");
            if (wire.OutLength > 0) wire.Send();
        }

        return lags;

        void OnFrame(byte type, byte flags, int stream, ReadOnlySpan<byte> payload)
        {
            if (type != Http2Wire.Data) return;
            var rest = payload;
            if (message.Count > 0)
            {
                message.AddRange(payload);
                rest = System.Runtime.InteropServices.CollectionsMarshal.AsSpan(message);
            }

            while (rest.Length >= 5 && rest.Length - 5 >= BinaryPrimitives.ReadInt32BigEndian(rest[1..]))
            {
                var length = BinaryPrimitives.ReadInt32BigEndian(rest[1..]);
                OnReply(rest.Slice(5, length));
                rest = rest[(5 + length)..];
            }

            var left = rest.ToArray();
            message.Clear();
            message.AddRange(left);
        }

        void OnReply(ReadOnlySpan<byte> reply)
        {
            var now = Stopwatch.GetTimestamp();
            long watch = 0;
            for (var at = reply; at.Length > 0;)
            {
                var field = Field(ref at, out var number, out var bytes);
                if (field == 2) watch = number;
                if (field == 3 && number != 0) ready.Signal();
                if (field == 11) OnEvent(watch, bytes, now);
            }
        }

        void OnEvent(long watch, ReadOnlySpan<byte> e, long now)
        {
            while (e.Length > 0)
            {
                var field = Field(ref e, out _, out var kv);
                if (field != 2) continue;
                while (kv.Length > 0)
                {
                    var part = Field(ref kv, out var number, out var bytes);
                    if (part == 3)
                    {
                        if (last.TryGetValue(watch, out var before) && number != before + 1) throw new InvalidDataException($"watch {watch}: revision {number} after {before}");
                        last[watch] = number;
                    }

                    if (part == 5) lags.Add((now - BinaryPrimitives.ReadInt64LittleEndian(bytes)) * 1000.0 / Stopwatch.Frequency);
                }
            }
        }
    }

    private static int Field(ref ReadOnlySpan<byte> from, out long number, out ReadOnlySpan<byte> bytes)
    {
        var tag = Varint(ref from);
        number = Varint(ref from);
        bytes = default;
        if ((tag & 7) != 2) return (int)(tag >> 3);
        bytes = from[..(int)number];
        from = from[(int)number..];
        number = 0;
        return (int)(tag >> 3);
    }

    private static long Varint(ref ReadOnlySpan<byte> from)
    {
        from = from[Mesh.Api.Codecs.Varint.Read(from, out var value)..];
        return (long)value;
    }
}
