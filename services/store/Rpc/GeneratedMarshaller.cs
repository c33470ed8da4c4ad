using Google.Protobuf;
using Grpc.Core;

namespace Mesh.Store.Rpc;

/// <summary>Marshallers of generated messages, for methods bound by hand.</summary>
internal static class GeneratedMarshaller
{
    public static Marshaller<T> Of<T>(MessageParser<T> parser)
        where T : class, IMessage<T> => Grpc.Core.Marshallers.Create<T>(
        static (message, context) =>
        {
            context.SetPayloadLength(message.CalculateSize());
            message.WriteTo(context.GetBufferWriter());
            context.Complete();
        },
        context => parser.ParseFrom(context.PayloadAsReadOnlySequence()));
}
