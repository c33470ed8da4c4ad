using Mesh.Dns.Forwarding;
using Mesh.Dns.Wire;
using Mesh.Dns.Zone;

namespace Mesh.Dns;

/// <summary>
/// From a packet to a packet:
///   1. not a readable query → FORMERR (or nothing, when there is not even an id)
///   2. a name of the cluster → the zone's answer; a CNAME is followed, in the cluster here, outside through the resolvers
///   3. anything else → the node's resolvers, byte for byte
/// </summary>
internal sealed class DnsHandler(ClusterZone zone, IUpstream upstream, DnsMetrics metrics)
{
    private const int TcpLimit = 65535;

    /// <summary>The response, or null when the packet deserves none.</summary>
    public async ValueTask<ReadOnlyMemory<byte>?> HandleAsync(ReadOnlyMemory<byte> packet, bool tcp, ResponseWriter writer, CancellationToken ct)
    {
        if (!QueryReader.TryRead(packet.Span, out var query))
        {
            // A response is never answered, or two servers could keep each other busy.
            if (packet.Length < 12 || (packet.Span[2] & 0x80) != 0)
                return null;
            return writer.Write(query with { Question = default }, new Answer(ResponseCode.FormatError, [], [], []), 512);
        }

        var limit = tcp ? TcpLimit : query.UdpSize;
        if (query.OpCode != 0)
            return writer.Write(query, new Answer(ResponseCode.NotImplemented, [], [], []), limit);

        var answer = query.Question.Class is 1 or 255 ? zone.Resolve(query.Question) : null;
        metrics.Count(query.Question.Type, tcp, answer is null ? "upstream" : answer.Code.ToString());
        if (answer is not null)
            return writer.Write(query, await FollowAsync(query, answer, ct), limit);
        var forwarded = await upstream.AskAsync(packet, tcp, ct);
        return forwarded is not null
            ? forwarded
            : writer.Write(query, new Answer(ResponseCode.ServerFailure, [], [], []), limit, authoritative: false);
    }

    private async ValueTask<Answer> FollowAsync(Query query, Answer answer, CancellationToken ct)
    {
        if (query.Question.Type is not (RecordType.A or RecordType.Aaaa) || answer.Records is not [{ Data: RecordData.DomainName target }])
            return answer;
        var records = new List<Record>(answer.Records);
        var next = new Question(target.Value, query.Question.Type, 1);
        // Bounded: a chain of ExternalNames may point back to itself.
        for (var hops = 0; hops < 8; hops++)
        {
            if (zone.Resolve(next) is not { } inside)
            {
                records.AddRange(await AskAddressesAsync(next, ct));
                break;
            }

            records.AddRange(inside.Records);
            if (inside.Records is not [{ Data: RecordData.DomainName more }])
                break;
            next = next with { Name = more.Value };
        }

        return answer with { Records = records };
    }

    private async ValueTask<IReadOnlyList<Record>> AskAddressesAsync(Question question, CancellationToken ct)
    {
        var packet = AddressLookup.Write(question, (ushort)Random.Shared.Next(ushort.MaxValue));
        var answer = await upstream.AskAsync(packet, tcp: false, ct);
        return answer is null ? [] : AddressLookup.Read(answer);
    }
}
