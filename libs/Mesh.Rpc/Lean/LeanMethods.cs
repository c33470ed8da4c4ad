using System.Threading.Channels;
using Grpc.Core;

namespace Mesh.Rpc.Lean;

/// <summary>One method and how its calls run.</summary>
internal abstract class LeanMethod
{
    /// <summary>The handler waits for one request; otherwise it runs from the headers on.</summary>
    public virtual bool TakesOne => true;

    /// <summary>Calls may last for ever: they are ended when the server stops.</summary>
    public virtual bool IsStreaming => false;

    /// <summary>Runs a call; <paramref name="message"/> is the request where there is one.</summary>
    public abstract void Start(LeanCall call, byte[] message);

    protected static void Respond<T>(LeanCall call, T response, Marshaller<T> marshaller)
    {
        try
        {
            var (buffer, length) = new OutgoingMessage().Take(response, marshaller.ContextualSerializer);
            _ = call.Connection.Output.Message(call, buffer, length, flush: false);
        }
        catch (Exception e)
        {
            call.Fail(e);
            return;
        }

        call.Succeed();
    }

    protected static bool TryRead<T>(LeanCall call, byte[] message, Marshaller<T> marshaller, out T request)
    {
        try
        {
            request = marshaller.ContextualDeserializer(new IncomingMessage(message));
            return true;
        }
        catch (Exception e)
        {
            call.Fail(e is RpcException ? e : new RpcException(new Status(StatusCode.Internal, "the request cannot be read: " + e.Message)));
            request = default!;
            return false;
        }
    }
}

/// <summary>One request, one response. The handler begins on the connection's own thread; one that has nothing to wait for costs no other.</summary>
internal sealed class UnaryMethod<TRequest, TResponse>(Method<TRequest, TResponse> method, UnaryServerMethod<TRequest, TResponse> handler) : LeanMethod
    where TRequest : class
    where TResponse : class
{
    public override void Start(LeanCall call, byte[] message)
    {
        if (!TryRead(call, message, method.RequestMarshaller, out var request)) return;
        Task<TResponse> answer;
        try
        {
            answer = handler(request, call);
        }
        catch (Exception e)
        {
            call.Fail(e);
            return;
        }

        if (answer.IsCompletedSuccessfully) Respond(call, answer.Result, method.ResponseMarshaller);
        else _ = AwaitAsync(call, answer);
    }

    private async Task AwaitAsync(LeanCall call, Task<TResponse> answer)
    {
        if (!answer.IsCompleted) call.StartDeadline();
        TResponse response;
        try
        {
            response = await answer.ConfigureAwait(false);
        }
        catch (Exception e)
        {
            call.Fail(e);
            return;
        }

        Respond(call, response, method.ResponseMarshaller);
    }
}

/// <summary>The three forms with streams; their handlers run on the pool.</summary>
internal sealed class StreamingMethod<TRequest, TResponse>(
    Method<TRequest, TResponse> method, Func<TRequest?, Requests<TRequest>, Responses<TResponse>, ServerCallContext, Task> handler) : LeanMethod
    where TRequest : class
    where TResponse : class
{
    public override bool IsStreaming => true;

    public override bool TakesOne => method.Type is MethodType.Unary or MethodType.ServerStreaming;

    public override void Start(LeanCall call, byte[] message)
    {
        TRequest? request = null;
        if (TakesOne && !TryRead(call, message, method.RequestMarshaller, out request)) return;
        if (!TakesOne) call.Requests = Channel.CreateUnbounded<byte[]>(new UnboundedChannelOptions { SingleReader = true, SingleWriter = false });
        call.StartDeadline();
        ThreadPool.UnsafeQueueUserWorkItem(static state => _ = state.Self.RunAsync(state.Call, state.Request), (Self: this, Call: call, Request: request), preferLocal: false);
    }

    private async Task RunAsync(LeanCall call, TRequest? request)
    {
        try
        {
            await handler(request, new Requests<TRequest>(call, method.RequestMarshaller), new Responses<TResponse>(call, method.ResponseMarshaller), call).ConfigureAwait(false);
        }
        catch (Exception e)
        {
            call.Fail(e);
            return;
        }

        call.Succeed();
    }
}

/// <summary>The requests of a stream; taking one gives its bytes back as window.</summary>
internal sealed class Requests<T>(LeanCall call, Marshaller<T> marshaller) : IAsyncStreamReader<T>
{
    public T Current { get; private set; } = default!;

    public async Task<bool> MoveNext(CancellationToken cancellationToken)
    {
        var requests = call.Requests!.Reader;
        byte[]? message;
        while (!requests.TryRead(out message))
        {
            if (await requests.WaitToReadAsync(cancellationToken).ConfigureAwait(false)) continue;
            if (call.RequestEnded && !call.CancellationToken.IsCancellationRequested) return false;
            throw new OperationCanceledException(call.CancellationToken);
        }

        call.Connection.ReturnWindow(call, message.Length);
        Current = marshaller.ContextualDeserializer(new IncomingMessage(message));
        return true;
    }
}

/// <summary>The responses of a stream.</summary>
internal sealed class Responses<T>(LeanCall call, Marshaller<T> marshaller) : IServerStreamWriter<T>
{
    private readonly OutgoingMessage _serializer = new();

    public WriteOptions? WriteOptions { get; set; }

    public Task WriteAsync(T message)
    {
        var (buffer, length) = _serializer.Take(message, marshaller.ContextualSerializer);
        return call.Connection.Output.Message(call, buffer, length, flush: ((WriteOptions?.Flags ?? 0) & WriteFlags.BufferHint) == 0);
    }

    public async Task WriteAsync(T message, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        await WriteAsync(message).WaitAsync(cancellationToken).ConfigureAwait(false);
    }
}

/// <summary>Collects the methods of services by path.</summary>
internal sealed class LeanBinder(Dictionary<string, LeanMethod> methods) : ServiceBinderBase
{
    public override void AddMethod<TRequest, TResponse>(Method<TRequest, TResponse> method, UnaryServerMethod<TRequest, TResponse>? handler) =>
        methods.Add(method.FullName, new UnaryMethod<TRequest, TResponse>(method, handler!));

    public override void AddMethod<TRequest, TResponse>(Method<TRequest, TResponse> method, ClientStreamingServerMethod<TRequest, TResponse>? handler) =>
        methods.Add(method.FullName, new StreamingMethod<TRequest, TResponse>(method, async (_, requests, responses, context) =>
        {
            responses.WriteOptions = new WriteOptions(WriteFlags.BufferHint);
            await responses.WriteAsync(await handler!(requests, context).ConfigureAwait(false)).ConfigureAwait(false);
        }));

    public override void AddMethod<TRequest, TResponse>(Method<TRequest, TResponse> method, ServerStreamingServerMethod<TRequest, TResponse>? handler) =>
        methods.Add(method.FullName, new StreamingMethod<TRequest, TResponse>(method, (request, _, responses, context) => handler!(request!, responses, context)));

    public override void AddMethod<TRequest, TResponse>(Method<TRequest, TResponse> method, DuplexStreamingServerMethod<TRequest, TResponse>? handler) =>
        methods.Add(method.FullName, new StreamingMethod<TRequest, TResponse>(method, (_, requests, responses, context) => handler!(requests, responses, context)));
}

/// <summary>gRPC for a path that nobody serves.</summary>
internal sealed class UnknownMethod : LeanMethod
{
    public static readonly UnknownMethod Instance = new();

    public override bool TakesOne => false;

    public override void Start(LeanCall call, byte[] message) => call.Finish(new Status(StatusCode.Unimplemented, "unknown service or method " + call.Head.Path));
}

/// <summary>Requests that are no gRPC.</summary>
internal sealed class PlainMethod : LeanMethod
{
    public static readonly PlainMethod Instance = new();

    public override bool TakesOne => false;

    public override void Start(LeanCall call, byte[] message) => _ = AnswerAsync(call);

    private static async Task AnswerAsync(LeanCall call)
    {
        var (status, type, body) = (404, "text/plain; charset=utf-8", "not found\n"u8.ToArray());
        try
        {
            if (call.Connection.Server.Plain is { } plain) (status, type, body) = await plain(call.Head.Method, call.Head.Path).ConfigureAwait(false);
        }
        catch (Exception e)
        {
            call.Connection.Server.HandlerFailed(call.Head.Path, e);
            (status, body) = (500, []);
        }

        call.Connection.Output.PlainAnswer(call, status, type, body);
    }
}
