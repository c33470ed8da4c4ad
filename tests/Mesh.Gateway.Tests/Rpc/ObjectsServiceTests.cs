using Google.Protobuf;
using Grpc.Core;
using Mesh.Rpc.V1;

namespace Mesh.Gateway.Tests.Rpc;

[Collection("gateway")]
public sealed class ObjectsServiceTests(GatewayHost gateway)
{
    private readonly Objects.ObjectsClient client = new(gateway.Channel);

    [Fact]
    public async Task The_bytes_are_those_of_REST()
    {
        var made = await client.CreateAsync(new WriteRequest { Resource = Maps(), Namespace = "default", Object = ByteString.CopyFromUtf8("""{"metadata":{"name":"rpc-bytes"}}""") });
        var rest = (await gateway.Client.GetStringAsync(new Uri("/api/v1/namespaces/default/configmaps/rpc-bytes", UriKind.Relative))).TrimEnd('\n');

        Assert.True(made.Created);
        Assert.Equal(rest, made.Object.ToStringUtf8());
    }

    [Fact]
    public async Task A_refusal_carries_its_Status()
    {
        var error = await Assert.ThrowsAsync<RpcException>(async () => await client.GetAsync(new GetRequest { Resource = Maps(), Namespace = "default", Name = "rpc-none" }));

        Assert.Equal(StatusCode.NotFound, error.StatusCode);
        var status = System.Text.Json.Nodes.JsonNode.Parse(Mesh.Rpc.RpcStatus.FindKubernetesStatus(error))!;
        Assert.Equal("configmaps \"rpc-none\" not found", (string?)status["message"]);
    }

    [Fact]
    public async Task Binding_never_gives_a_node_more_than_it_has()
    {
        await PostAsync("/api/v1/nodes", """{"metadata":{"name":"rpc-node"},"status":{"allocatable":{"cpu":"1","memory":"1Gi","pods":"110"}}}""");
        await PostAsync("/api/v1/namespaces/default/serviceaccounts", """{"metadata":{"name":"default"}}""");
        var request = new BindRequest();
        for (var i = 0; i < 4; i++)
        {
            await PostAsync(
                "/api/v1/namespaces/default/pods",
                $$$$$"""{"metadata":{"name":"rpc-pod-{{{{{i}}}}}"},"spec":{"containers":[{"name":"c","image":"i","resources":{"requests":{"cpu":"400m"}}}]}}""");
            request.Bindings.Add(new Binding { Namespace = "default", Pod = $"rpc-pod-{i}", Node = "rpc-node" });
        }

        var reply = await client.BindAsync(request);
        var again = await client.BindAsync(request);

        Assert.Equal(2, reply.Results.Count(static r => r.Code == 201));
        Assert.Equal(2, reply.Results.Count(static r => r.Code == 409));
        Assert.All(again.Results, static r => Assert.Equal(409, r.Code));
        Assert.Contains(again.Results, static r => r.Status.ToStringUtf8().Contains("is already assigned to node", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_batch_answers_each_operation_on_its_own()
    {
        var reply = await client.BatchAsync(new BatchRequest
        {
            Operations =
            {
                new Operation { Create = new WriteRequest { Resource = Maps(), Namespace = "default", Object = ByteString.CopyFromUtf8("""{"metadata":{"name":"rpc-batch"}}""") } },
                new Operation { Delete = new DeleteRequest { Resource = Maps(), Namespace = "default", Name = "rpc-batch-none" } },
                new Operation { Delete = new DeleteRequest { Resource = Maps(), Namespace = "default", Name = "rpc-batch" } },
            },
        });

        Assert.Equal([201, 404, 200], reply.Results.Select(static r => r.Code));
    }

    [Fact]
    public async Task A_watch_starts_with_what_is_there()
    {
        await client.CreateAsync(new WriteRequest { Resource = Maps(), Namespace = "kube-public", Object = ByteString.CopyFromUtf8("""{"metadata":{"name":"rpc-watch"}}""") });
        using var call = client.Watch(new WatchRequest { Resource = Maps(), Namespace = "kube-public", SendInitialEvents = true, FieldSelector = "metadata.name=rpc-watch" });
        Assert.True(await call.ResponseStream.MoveNext(CancellationToken.None).WaitAsync(TimeSpan.FromSeconds(20)));
        var events = call.ResponseStream.Current.Events;

        Assert.Equal(WatchEvent.Types.Type.Added, events[0].Type);
        Assert.True(events[1].InitialEventsEnd);
    }

    [Fact]
    public async Task Informers_are_spared_the_managed_fields()
    {
        await client.CreateAsync(new WriteRequest { Resource = Maps(), Namespace = "kube-public", FieldManager = "maker", Object = ByteString.CopyFromUtf8("""{"metadata":{"name":"rpc-lean"},"data":{"a":"1"}}""") });
        using var list = client.List(new ListRequest { Resource = Maps(), Namespace = "kube-public", FieldSelector = "metadata.name=rpc-lean", OmitManagedFields = true });
        Assert.True(await list.ResponseStream.MoveNext(CancellationToken.None));
        var lean = list.ResponseStream.Current.Items[0].ToStringUtf8();
        using var watch = client.Watch(new WatchRequest { Resource = Maps(), Namespace = "kube-public", SendInitialEvents = true, FieldSelector = "metadata.name=rpc-lean", OmitManagedFields = true });
        Assert.True(await watch.ResponseStream.MoveNext(CancellationToken.None).WaitAsync(TimeSpan.FromSeconds(20)));
        var whole = await client.GetAsync(new GetRequest { Resource = Maps(), Namespace = "kube-public", Name = "rpc-lean" });

        Assert.Equal(lean, watch.ResponseStream.Current.Events[0].Object.ToStringUtf8());
        Assert.DoesNotContain("managedFields", lean, StringComparison.Ordinal);
        Assert.Contains("\"manager\":\"maker\"", whole.Object.ToStringUtf8(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Apply_creates_conflicts_and_is_forced()
    {
        var apply = new PatchRequest
        {
            Resource = Maps(),
            Namespace = "default",
            Name = "rpc-apply",
            Type = PatchRequest.Types.Type.Apply,
            FieldManager = "one",
            Patch = ByteString.CopyFromUtf8("""{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"rpc-apply"},"data":{"a":"1"}}"""),
        };
        Assert.True((await client.PatchAsync(apply)).Created);
        apply.FieldManager = "two";
        apply.Patch = ByteString.CopyFromUtf8("""{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"rpc-apply"},"data":{"a":"2"}}""");
        var error = await Assert.ThrowsAsync<RpcException>(async () => await client.PatchAsync(apply));
        var status = System.Text.Json.Nodes.JsonNode.Parse(Mesh.Rpc.RpcStatus.FindKubernetesStatus(error))!;
        Assert.Equal("Apply failed with 1 conflict: conflict with \"one\": .data.a", (string?)status["message"]);
        apply.Force = true;
        Assert.Contains("\"a\":\"2\"", (await client.PatchAsync(apply)).Object.ToStringUtf8(), StringComparison.Ordinal);
    }

    private static Resource Maps() => new() { Version = "v1", Resource_ = "configmaps" };

    private async Task PostAsync(string path, string body)
    {
        var (code, answer) = await gateway.PostAsync(path, body);
        Assert.True(code is 201 or 409, answer.ToJsonString());
    }
}
