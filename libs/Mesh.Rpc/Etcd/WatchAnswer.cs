using System.Text;
using Mesh.Rpc.Wire;

namespace Mesh.Rpc.Etcd;

/// <summary>mvccpb.Event; of a deletion the item has the key and the revision of the deletion.</summary>
public readonly record struct WatchEvent(bool IsDelete, KvItem Item);

/// <summary>etcdserverpb.WatchResponse. Its events are decoded while they are gone through; what they hold are slices of the message.</summary>
public readonly struct WatchAnswer
{
    private const int EventsField = 11;
    private readonly ReadOnlyMemory<byte> _message;

    private WatchAnswer(ReadOnlyMemory<byte> message, string reason) => (_message, CancelReason) = (message, reason);

    /// <summary>The store's revision.</summary>
    public long Revision { get; private init; }

    /// <summary>Answers the request that began the watch.</summary>
    public bool Created { get; private init; }

    /// <summary>The watch has ended.</summary>
    public bool Canceled { get; private init; }

    /// <summary>Not 0: the watch began at a revision that is compacted away, and this is the first that is not.</summary>
    public long CompactRevision { get; private init; }

    /// <summary>Why it was ended.</summary>
    public string CancelReason { get; }

    /// <summary>There are events; without, and not at the beginning, the answer tells progress.</summary>
    public bool HasEvents { get; private init; }

    /// <summary>Decodes all but the events.</summary>
    /// <exception cref="FormatException">It is no protobuf.</exception>
    public static WatchAnswer Read(ReadOnlyMemory<byte> message)
    {
        long revision = 0, compacted = 0;
        bool created = false, canceled = false, events = false;
        var reason = "";
        var reader = new ProtoReader(message);
        while (reader.Next())
        {
            switch (reader.Field)
            {
                case 1: revision = RangeAnswer.HeaderRevision(reader.Bytes()); break;
                case 3: created = reader.Bool(); break;
                case 4: canceled = reader.Bool(); break;
                case 5: compacted = reader.Int64(); break;
                case 6: reason = Encoding.UTF8.GetString(reader.Bytes().Span); break;
                case EventsField:
                    events = true;
                    reader.Skip();
                    break;
                default: reader.Skip(); break;
            }
        }

        return new WatchAnswer(message, reason) { Revision = revision, Created = created, Canceled = canceled, CompactRevision = compacted, HasEvents = events };
    }

    /// <summary>The events in order; throws <see cref="FormatException"/> at one that is no protobuf.</summary>
    public Enumerator GetEnumerator() => new(_message);

    /// <summary>Goes through the events of an answer.</summary>
    public struct Enumerator
    {
        private ReadOnlyMemory<byte> _rest;

        internal Enumerator(ReadOnlyMemory<byte> message) => _rest = message;

        /// <summary>The event.</summary>
        public WatchEvent Current { get; private set; }

        /// <summary>To the next event.</summary>
        public bool MoveNext()
        {
            var reader = new ProtoReader(_rest);
            while (reader.Next())
            {
                if (reader.Field == EventsField)
                {
                    Current = Event(reader.Bytes());
                    _rest = reader.Rest;
                    return true;
                }

                reader.Skip();
            }

            _rest = default;

            return false;
        }

        private static WatchEvent Event(ReadOnlyMemory<byte> message)
        {
            var deleted = false;
            KvItem item = default;
            var reader = new ProtoReader(message);
            while (reader.Next())
            {
                switch (reader.Field)
                {
                    case 1: deleted = reader.Int64() == 1; break;
                    case 2: item = KvItem.Read(reader.Bytes()); break;
                    default: reader.Skip(); break;
                }
            }

            return new WatchEvent(deleted, item);
        }
    }
}
