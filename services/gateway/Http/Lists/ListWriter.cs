using System.Buffers;
using Mesh.Gateway.Registry;

namespace Mesh.Gateway.Http.Lists;

/// <summary>
/// A page of a list in one encoding, a part at a time: what comes before the items, each item, what comes after. Nothing is made before it is asked for, so that a
/// list takes as much memory as its reader is behind, however long it is.
/// </summary>
internal abstract class ListWriter
{
    /// <summary>Bytes of the whole when that is known beforehand, after <see cref="Prepare"/>.</summary>
    public virtual long? Length => null;

    /// <summary>Items of the page.</summary>
    public abstract int Count { get; }

    /// <summary>What must be known of all items before the first byte is written. What fails here can still be answered with a Status.</summary>
    public virtual void Prepare(CancellationToken ct)
    {
    }

    /// <summary>What comes before the items.</summary>
    public abstract void WriteHead(IBufferWriter<byte> writer);

    /// <summary>One item, in order.</summary>
    public abstract void WriteItem(IBufferWriter<byte> writer, int index);

    /// <summary>What comes after them.</summary>
    public abstract void WriteTail(IBufferWriter<byte> writer);

    /// <summary>The writer of an encoder's representation; to be disposed when it is disposable.</summary>
    public static ListWriter For(ObjectEncoder encoder, ListPage page) => encoder.Representation switch
    {
        { Format: BodyFormat.Protobuf } => new ProtobufListWriter(encoder.Messages, page),
        { Format: BodyFormat.Yaml } => new YamlListWriter(encoder.Form, page),
        { Pretty: true } => new IndentedListWriter(encoder.Form, page),
        _ => new JsonListWriter(encoder.Form, page),
    };
}
