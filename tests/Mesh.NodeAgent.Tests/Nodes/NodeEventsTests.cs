using Mesh.Api.Core.V1;
using Mesh.NodeAgent.Nodes;

namespace Mesh.NodeAgent.Tests.Nodes;

public sealed class NodeEventsTests
{
    [Fact]
    public void Only_what_turned_is_told()
    {
        var first = Status(("MemoryPressure", "False"), ("DiskPressure", "False"), ("PIDPressure", "False"), ("Ready", "False"));
        var second = Status(("MemoryPressure", "False"), ("DiskPressure", "True"), ("PIDPressure", "False"), ("Ready", "True"));
        Assert.Equal(["NodeHasSufficientMemory", "NodeHasNoDiskPressure", "NodeHasSufficientPID"], NodeEvents.Turned(null, first));
        Assert.Equal(["NodeHasDiskPressure", "NodeReady"], NodeEvents.Turned(first, second));
        Assert.Equal(["NodeHasNoDiskPressure", "NodeNotReady"], NodeEvents.Turned(second, first));
        Assert.Empty(NodeEvents.Turned(first, first));
    }

    private static NodeStatus Status(params (string Type, string Status)[] conditions) =>
        new() { Conditions = [.. conditions.Select(c => new NodeCondition { Type = c.Type, Status = c.Status })] };
}
