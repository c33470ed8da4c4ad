using Grpc.Core;
using Mesh.Store.Access;
using Mesh.Store.Mvcc;
using Mesh.Store.Wire;

namespace Mesh.Store.Rpc;

/// <summary>Who calls, and whether they may. With access control off everybody who got a connection may do everything.</summary>
internal sealed class Guard(StoreEngine engine, TokenIssuer tokens)
{
    /// <summary>The caller's user name; throws when access control is on and none can be told.</summary>
    public string? Caller(ServerCallContext context)
    {
        if (!engine.Access.Enabled) return null;
        if (context.RequestHeaders.GetValue("token") is { } token)
            return tokens.Find(token) ?? throw new StoreException(StatusCode.Unauthenticated, "etcdserver: invalid auth token");
        if (context.RequestHeaders.GetValue("authorization") is { } bearer && tokens.Find(bearer.StartsWith("Bearer ", StringComparison.Ordinal) ? bearer[7..] : bearer) is { } user)
            return user;
        foreach (var property in context.AuthContext.FindPropertiesByName("x509_common_name"))
        {
            if (engine.Access.Users.ContainsKey(property.Value)) return property.Value;
        }

        throw new StoreException(StatusCode.InvalidArgument, "etcdserver: user name is empty");
    }

    /// <summary>Only root, when access control is on.</summary>
    public void Root(ServerCallContext context)
    {
        if (Caller(context) is { } user && !engine.Access.IsRoot(user)) throw Denied;
    }

    /// <summary>Any known user, when access control is on.</summary>
    public void Anyone(ServerCallContext context) => _ = Caller(context);

    /// <summary>A read or write of a range.</summary>
    public void Check(ServerCallContext context, KeyRange range, bool write)
    {
        if (Caller(context) is { } user && !engine.Access.Allows(user, range, write)) throw Denied;
    }

    /// <summary>Everything a transaction may touch.</summary>
    public void Check(ServerCallContext context, TxnRequest txn)
    {
        if (Caller(context) is { } user && !Allows(user, txn)) throw Denied;
    }

    private static StoreException Denied => new(StatusCode.PermissionDenied, "etcdserver: permission denied");

    private bool Allows(string user, TxnRequest txn) =>
        txn.Compares.TrueForAll(c => engine.Access.Allows(user, c.Range, write: false))
        && txn.Success.Concat(txn.Failure).All(op => op switch
        {
            RangeRequest r => engine.Access.Allows(user, r.Range, write: false),
            PutRequest p => engine.Access.Allows(user, KeyRange.Single(p.Key), write: true) && (!p.PrevKv || engine.Access.Allows(user, KeyRange.Single(p.Key), write: false)),
            DeleteRangeRequest d => engine.Access.Allows(user, d.Range, write: true) && (!d.PrevKv || engine.Access.Allows(user, d.Range, write: false)),
            TxnRequest nested => Allows(user, nested),
            _ => false,
        });
}
