using System.Text.Json.Nodes;
using Mesh.Api;
using Mesh.Api.Schema;
using Mesh.Api.Tests.Codecs;
using Mesh.Gateway.Tables;

namespace Mesh.Gateway.Tests.Tables;

public class TableTests
{
    private static readonly DateTimeOffset Now = new(2026, 1, 1, 12, 0, 0, TimeSpan.Zero);
    private readonly TableConvertor tables = new(new FixedTime());

    [Theory]
    [InlineData(-1, "0s")]
    [InlineData(-5, "<invalid>")]
    [InlineData(119, "119s")]
    [InlineData(120, "2m")]
    [InlineData(303, "5m3s")]
    [InlineData(3600, "60m")]
    [InlineData(3 * 3600, "3h")]
    [InlineData((3 * 3600) + 60, "3h1m")]
    [InlineData(9 * 3600, "9h")]
    [InlineData(50 * 3600, "2d2h")]
    [InlineData(9 * 86400, "9d")]
    [InlineData(800 * 86400, "2y70d")]
    public void Durations(int seconds, string expected) => Assert.Equal(expected, HumanDuration.Text(TimeSpan.FromSeconds(seconds)));

    [Theory]
    [InlineData("""{"phase":"Pending"}""", "0/1|Pending|0")]
    [InlineData("""{"phase":"Running","containerStatuses":[{"ready":true,"restartCount":0,"state":{"running":{}}}]}""", "1/1|Running|0")]
    [InlineData("""{"phase":"Running","containerStatuses":[{"ready":false,"restartCount":2,"state":{"waiting":{"reason":"CrashLoopBackOff"}},"lastState":{"terminated":{"finishedAt":"2026-01-01T11:55:00Z"}}}]}""",
        "0/1|CrashLoopBackOff|2 (5m ago)")]
    [InlineData("""{"phase":"Succeeded","containerStatuses":[{"restartCount":0,"state":{"terminated":{"exitCode":0,"reason":"Completed"}}}]}""", "0/1|Completed|0")]
    [InlineData("""{"phase":"Failed","containerStatuses":[{"restartCount":0,"state":{"terminated":{"exitCode":3}}}]}""", "0/1|ExitCode:3|0")]
    [InlineData("""{"phase":"Pending","initContainerStatuses":[{"restartCount":0,"state":{"running":{}}}]}""", "0/1|Init:0/1|0")]
    [InlineData("""{"phase":"Pending","initContainerStatuses":[{"restartCount":1,"state":{"terminated":{"exitCode":1,"reason":"Error"}}}]}""", "0/1|Init:Error|1")]
    [InlineData("""{"phase":"Pending","conditions":[{"type":"PodScheduled","status":"False","reason":"SchedulingGated"}]}""", "0/1|SchedulingGated|0")]
    public void Pods(string status, string expected)
    {
        var pod = Parse($$$"""{"metadata":{"name":"p"},"spec":{"containers":[{"name":"a"}],"initContainers":[{"name":"i"}]},"status":{{{status}}}}""");
        var cells = tables.Cells(Resource("", "pods"), pod);
        Assert.Equal(expected, string.Join('|', cells.Skip(1).Take(3)));
    }

    [Theory]
    [InlineData("", "services", """{"metadata":{"name":"s","creationTimestamp":"2026-01-01T11:00:00Z"},"spec":{"type":"NodePort","clusterIP":"10.96.0.1","ports":[{"port":80,"nodePort":30001,"protocol":"TCP"}],"selector":{"b":"2","a":"1"}}}""",
        "s|NodePort|10.96.0.1|<none>|80:30001/TCP|60m|a=1,b=2")]
    [InlineData("", "nodes", """{"metadata":{"name":"n","creationTimestamp":"2026-01-01T11:59:00Z","labels":{"node-role.kubernetes.io/control-plane":""}},"spec":{"unschedulable":true},"status":{"conditions":[{"type":"Ready","status":"True"}],"nodeInfo":{"kubeletVersion":"v1.36.0"},"addresses":[{"type":"InternalIP","address":"1.2.3.4"}]}}""",
        "n|Ready,SchedulingDisabled|control-plane|60s|v1.36.0|1.2.3.4|<none>|<unknown>|<unknown>|<unknown>")]
    [InlineData("apps", "deployments", """{"metadata":{"name":"d"},"spec":{"replicas":3,"selector":{"matchLabels":{"app":"x"}},"template":{"spec":{"containers":[{"name":"a","image":"i"}]}}},"status":{"readyReplicas":2,"updatedReplicas":3,"availableReplicas":2}}""",
        "d|2/3|3|2|<unknown>|a|i|app=x")]
    [InlineData("", "endpoints", """{"metadata":{"name":"e"},"subsets":[{"addresses":[{"ip":"1.1.1.1"},{"ip":"1.1.1.2"}],"ports":[{"port":1},{"port":2}]}]}""",
        "e|1.1.1.1:1,1.1.1.2:1,1.1.1.1:2 + 1 more...|<unknown>")]
    [InlineData("batch", "jobs", """{"metadata":{"name":"j"},"spec":{"completions":2},"status":{"succeeded":1,"startTime":"2026-01-01T11:58:50Z"}}""", "j|Running|1/2|70s|<unknown>|||<none>")]
    [InlineData("", "events", """{"metadata":{"name":"e"},"involvedObject":{"kind":"Pod","name":"p"},"type":"Normal","reason":"Started","message":"m ","lastTimestamp":"2026-01-01T11:59:30Z","count":2,"source":{"component":"kubelet","host":"n"}}""",
        "30s|Normal|Started|pod/p||kubelet, n|m|<unknown>|2|e")]
    [InlineData("autoscaling", "horizontalpodautoscalers", """{"metadata":{"name":"h"},"spec":{"scaleTargetRef":{"apiVersion":"apps/v1","kind":"Deployment","name":"d"},"minReplicas":1,"maxReplicas":3,"metrics":[{"type":"Resource","resource":{"name":"cpu","target":{"type":"Utilization","averageUtilization":80}}}]}}""",
        "h|Deployment/d|cpu: <unknown>/80%|1|3|0|<unknown>")]
    [InlineData("rbac.authorization.k8s.io", "roles", """{"metadata":{"name":"r","creationTimestamp":"2026-01-01T11:59:30Z"}}""", "r|2026-01-01T11:59:30Z")]
    public void Rows(string group, string plural, string json, string expected) =>
        Assert.Equal(expected, string.Join('|', tables.Cells(Resource(group, plural), Parse(json))));

    [Theory]
    [InlineData("scheduling.k8s.io", "priorityclasses", "Name:string:name, Value:integer:, Global-Default:boolean:, Age:string:, PreemptionPolicy:string:")]
    [InlineData("storage.k8s.io", "volumeattachments", "Name:string:name, Attacher:string:name, PV:string:, Node:string:, Attached:boolean:, Age:string:")]
    public void Types_of_columns(string group, string plural, string expected) =>
        Assert.Equal(expected, string.Join(", ", tables.Columns(Resource(group, plural)).Select(static c => $"{c!["name"]}:{c["type"]}:{c["format"]}")));

    [Fact]
    public void Every_kind_survives_an_empty_object_and_fills_every_column()
    {
        foreach (var resource in ResourceTable.All)
            Assert.Equal(tables.Columns(resource).Count, tables.Cells(resource, []).Count);
    }

    /// <summary>Whatever the decoder lets through: every field there, any of them gone.</summary>
    [Fact]
    public void A_row_never_throws()
    {
        var random = new Random(51);
        foreach (var resource in ResourceTable.All)
        {
            if (ApiSchema.Builtin.FindKind(resource.Group, resource.Version, resource.Kind) is not { } kind) continue;
            for (var i = 0; i < 20; i++)
            {
                var filled = new ObjectFiller().Fill(kind);
                if (i > 0) Thin(filled, random);
                Assert.Equal(tables.Columns(resource).Count, tables.Cells(resource, filled).Count);
            }
        }

        static void Thin(JsonNode? node, Random random)
        {
            if (node is JsonArray array)
            {
                while (array.Count > 0 && random.Next(4) == 0) array.RemoveAt(random.Next(array.Count));
                foreach (var item in array) Thin(item, random);
            }

            if (node is not JsonObject obj) return;
            foreach (var name in obj.Select(static p => p.Key).ToList())
            {
                if (random.Next(5) == 0) obj.Remove(name);
                else Thin(obj[name], random);
            }
        }
    }

    [Fact]
    public void Tables_carry_what_was_asked_of_the_objects()
    {
        var pod = Parse("""{"metadata":{"name":"p","resourceVersion":"7"},"status":{"phase":"Succeeded"}}""");
        var table = tables.ToTable(Resource("", "pods"), [pod], null, IncludeObject.Metadata);
        Assert.Equal("7", table["metadata"]!["resourceVersion"]!.ToString());
        Assert.Equal("PartialObjectMetadata", table["rows"]![0]!["object"]!["kind"]!.ToString());
        Assert.Equal("Completed", table["rows"]![0]!["conditions"]![0]!["type"]!.ToString());
        Assert.Null(tables.Row(Resource("", "pods"), pod, IncludeObject.None)["object"]);
    }

    private static ApiResource Resource(string group, string plural) => ResourceTable.All.First(r => r.Group == group && r.Plural == plural);

    private static JsonObject Parse(string json) => JsonNode.Parse(json)!.AsObject();

    private sealed class FixedTime : TimeProvider
    {
        public override DateTimeOffset GetUtcNow() => Now;
    }
}
