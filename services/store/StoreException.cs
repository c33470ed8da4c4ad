using Grpc.Core;

namespace Mesh.Store;

/// <summary>A refusal with the code and words that etcd's clients know; the RPC edge turns it into a status.</summary>
internal sealed class StoreException(StatusCode code, string message) : Exception(message)
{
    public StatusCode Code { get; } = code;
}

/// <summary>etcd's refusals. Clients compare these texts: they are part of the protocol.</summary>
internal static class Refusals
{
    public static StoreException Compacted => new(StatusCode.OutOfRange, "etcdserver: mvcc: required revision has been compacted");
    public static StoreException FutureRevision => new(StatusCode.OutOfRange, "etcdserver: mvcc: required revision is a future revision");
    public static StoreException NoSpace => new(StatusCode.ResourceExhausted, "etcdserver: mvcc: database space exceeded");
    public static StoreException EmptyKey => new(StatusCode.InvalidArgument, "etcdserver: key is not provided");
    public static StoreException KeyNotFound => new(StatusCode.InvalidArgument, "etcdserver: key not found");
    public static StoreException ValueProvided => new(StatusCode.InvalidArgument, "etcdserver: value is provided");
    public static StoreException LeaseProvided => new(StatusCode.InvalidArgument, "etcdserver: lease is provided");
    public static StoreException TooManyOps => new(StatusCode.InvalidArgument, "etcdserver: too many operations in txn request");
    public static StoreException DuplicateKey => new(StatusCode.InvalidArgument, "etcdserver: duplicate key given in txn request");
    public static StoreException InvalidSortOption => new(StatusCode.InvalidArgument, "etcdserver: invalid sort option");
    public static StoreException RequestTooLarge => new(StatusCode.InvalidArgument, "etcdserver: request is too large");
    public static StoreException TooManyRequests => new(StatusCode.ResourceExhausted, "etcdserver: too many requests");
    public static StoreException LeaseNotFound => new(StatusCode.NotFound, "etcdserver: requested lease not found");
    public static StoreException LeaseExists => new(StatusCode.FailedPrecondition, "etcdserver: lease already exists");
    public static StoreException LeaseTtlTooLarge => new(StatusCode.OutOfRange, "etcdserver: too large lease TTL");
    public static StoreException Stopped => new(StatusCode.Unavailable, "etcdserver: server stopped");
    public static StoreException MemberNotFound => new(StatusCode.NotFound, "etcdserver: member not found");
    public static StoreException Unhealthy => new(StatusCode.Unavailable, "etcdserver: unhealthy cluster");
}
