using System.Text.Json.Nodes;
using Mesh.Api;
using Mesh.Api.Schema;
using Mesh.Gateway.Storage;

namespace Mesh.Gateway.Http.Forms;

/// <summary>A form that has protobuf messages too.</summary>
internal abstract class MessageForm : ServedForm
{
    /// <summary>Kind of an object.</summary>
    public abstract KindSchema Schema { get; }

    /// <summary>One object, enveloped.</summary>
    public abstract byte[] Protobuf(CacheEntry entry);

    /// <summary>What an item of a list is made of.</summary>
    public abstract JsonObject MessageTree(CacheEntry entry);

    /// <summary>Length of an item's message, 0 when nobody has encoded it yet.</summary>
    public abstract int MessageLength(CacheEntry entry);

    /// <summary>Says how long an item's message is.</summary>
    public abstract void Remember(CacheEntry entry, int length);

    /// <summary>Kind of a list.</summary>
    /// <exception cref="ApiException">406: there is none.</exception>
    public KindSchema ListSchema() =>
        ApiSchema.Builtin.FindKind(List.ApiVersion, List.Kind) ?? throw new ApiException(Statuses.NotAcceptable(Representation.Offered(hasProtobuf: false)));
}
