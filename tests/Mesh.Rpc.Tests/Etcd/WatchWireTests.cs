using Google.Protobuf;
using Mesh.Rpc.Etcd;
using Xunit;

namespace Mesh.Rpc.Tests.Etcd;

/// <summary>Watch messages by hand against those that the schema makes.</summary>
public sealed class WatchWireTests
{
    [Fact]
    public void Requests_are_what_the_schema_says()
    {
        foreach (var (key, start, progress) in ((string, long, bool)[])[("/registry/pods/", 1, true), ("/ä/", long.MaxValue, false), (new string('k', 300), 0, true)])
        {
            var call = new WatchCreateCall(key, "/registry/pods0"u8.ToArray(), start, progress);
            var expected = new WatchRequest
            {
                CreateRequest = new WatchCreateRequest { Key = ByteString.CopyFromUtf8(key), RangeEnd = ByteString.CopyFromUtf8("/registry/pods0"), StartRevision = start, ProgressNotify = progress },
            };
            Assert.Equal(expected, WatchRequest.Parser.ParseFrom(Bytes(call)));
        }

        Assert.Equal(new WatchRequest { ProgressRequest = new WatchProgressRequest() }, WatchRequest.Parser.ParseFrom(Bytes(new WatchProgressCall())));
    }

    [Fact]
    public void Answers_are_read_as_the_schema_reads_them()
    {
        var random = new Random(3);
        for (var round = 0; round < 300; round++)
        {
            var expected = new WatchResponse
            {
                WatchId = random.Next(3),
                Created = random.Next(4) == 0,
                Canceled = random.Next(4) == 0,
                CompactRevision = random.Next(3) == 0 ? random.NextInt64() : 0,
                CancelReason = random.Next(3) == 0 ? "etcdserver: größer" : "",
                Fragment = random.Next(2) == 0,
            };
            if (random.Next(5) > 0) expected.Header = new ResponseHeader { ClusterId = 7, Revision = random.NextInt64(), RaftTerm = 3 };
            for (var i = random.Next(5); i > 0; i--) expected.Events.Add(Change(random));
            var read = WatchAnswer.Read(expected.ToByteArray());
            Assert.Equal(
                (expected.Header?.Revision ?? 0, expected.Created, expected.Canceled, expected.CompactRevision, expected.CancelReason, expected.Events.Count > 0),
                (read.Revision, read.Created, read.Canceled, read.CompactRevision, read.CancelReason, read.HasEvents));
            var at = 0;
            foreach (var change in read)
            {
                var other = expected.Events[at++];
                Assert.Equal(other.Type == Event.Types.EventType.Delete, change.IsDelete);
                Assert.Equal((other.Kv.ModRevision, other.Kv.CreateRevision), (change.Item.ModRevision, change.Item.CreateRevision));
                Assert.True(change.Item.Key.Span.SequenceEqual(other.Kv.Key.Span));
                Assert.True(change.Item.Value.Span.SequenceEqual(other.Kv.Value.Span));
            }

            Assert.Equal(expected.Events.Count, at);
        }
    }

    /// <summary>Whatever comes: an answer or a <see cref="FormatException"/>.</summary>
    [Fact]
    public void Broken_answers_are_refused()
    {
        var random = new Random(4);
        var refused = 0;
        for (var round = 0; round < 2000; round++)
        {
            var whole = new WatchResponse { Header = new ResponseHeader { Revision = 5 } };
            whole.Events.Add(Change(random));
            var bytes = whole.ToByteArray();
            bytes[random.Next(bytes.Length)] = (byte)random.Next(256);
            try
            {
                foreach (var change in WatchAnswer.Read(bytes.AsMemory(0, random.Next(bytes.Length + 1)))) Assert.True(change.Item.Value.Length <= bytes.Length);
            }
            catch (FormatException)
            {
                refused++;
            }
        }

        Assert.InRange(refused, 500, 2000);
    }

    private static Event Change(Random random)
    {
        var value = new byte[random.Next(3) * 100];
        random.NextBytes(value);
        return new Event
        {
            Type = random.Next(3) == 0 ? Event.Types.EventType.Delete : Event.Types.EventType.Put,
            Kv = new KeyValue { Key = ByteString.CopyFromUtf8("/registry/" + random.Next()), CreateRevision = random.Next(5), ModRevision = random.NextInt64(), Version = 3, Lease = random.NextInt64(), Value = ByteString.CopyFrom(value) },
            PrevKv = random.Next(2) == 0 ? new KeyValue { Key = ByteString.CopyFromUtf8("other"), ModRevision = 1 } : null,
        };
    }

    private static byte[] Bytes<T>(T call)
        where T : IWireMessage
    {
        var bytes = new byte[call.Size];
        call.Write(bytes);
        return bytes;
    }
}
