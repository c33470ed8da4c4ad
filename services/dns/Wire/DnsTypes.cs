namespace Mesh.Dns.Wire;

/// <summary>Record types used here (RFC 1035, 2782, 3596, 6891).</summary>
internal enum RecordType : ushort
{
    A = 1,
    Ns = 2,
    Cname = 5,
    Soa = 6,
    Ptr = 12,
    Txt = 16,
    Aaaa = 28,
    Srv = 33,
    Opt = 41,
    Any = 255,
}

/// <summary>Response codes (RFC 1035 §4.1.1).</summary>
internal enum ResponseCode : byte
{
    NoError = 0,
    FormatError = 1,
    ServerFailure = 2,
    NameError = 3,
    NotImplemented = 4,
    Refused = 5,
}

/// <summary>The one question of a query; the name is lower case without the trailing dot.</summary>
internal readonly record struct Question(string Name, RecordType Type, ushort Class);

/// <summary>A record to answer with. Data is by type: text form of addresses and names, priority etc. for SRV.</summary>
internal readonly record struct Record(string Name, RecordType Type, uint Ttl, RecordData Data);

/// <summary>Record data by type.</summary>
internal abstract record RecordData
{
    internal sealed record Address(System.Net.IPAddress Value) : RecordData;

    internal sealed record DomainName(string Value) : RecordData;

    internal sealed record Service(ushort Priority, ushort Weight, ushort Port, string Target) : RecordData;

    internal sealed record Text(string Value) : RecordData;

    internal sealed record StartOfAuthority(string Server, string Mailbox, uint Serial, uint Minimum) : RecordData;
}

/// <summary>What to answer to one question.</summary>
internal sealed record Answer(ResponseCode Code, IReadOnlyList<Record> Records, IReadOnlyList<Record> Authority, IReadOnlyList<Record> Additional)
{
    public static Answer Of(IReadOnlyList<Record> records) => new(ResponseCode.NoError, records, [], []);
}

/// <summary>The header and question of a query, as far as the server needs them.</summary>
internal readonly record struct Query(ushort Id, byte OpCode, bool RecursionDesired, Question Question, bool HasEdns, int UdpSize);
