using Grpc.Core;

namespace Mesh.Rpc;

/// <summary>
/// The connection of a call, for handlers that work in batches: all requests that came in one read are handed out before deferred work runs, and
/// answers given while the connection is held leave in one write. Only calls of a <see cref="LeanGrpc"/> server have one.
/// </summary>
public interface ICallBatch
{
    /// <summary>Runs the work on this thread when the input read so far is handed out. Work that may take long goes to another thread by itself.</summary>
    void Defer(Action work);

    /// <summary>Answers are collected until <see cref="Release"/>.</summary>
    void Hold();

    /// <summary>Sends what was collected.</summary>
    void Release();

    /// <summary>The connection of a call, or null on other servers.</summary>
    static ICallBatch? Of(ServerCallContext context) => (context as Lean.LeanCall)?.Connection;
}
