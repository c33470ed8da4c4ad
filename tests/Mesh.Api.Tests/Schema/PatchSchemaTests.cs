using System.Text.Json.Nodes;
using Mesh.Api.Patches;
using Mesh.Api.Schema;
using Xunit;

namespace Mesh.Api.Tests.Schema;

public class PatchSchemaTests
{
    [Fact]
    public void Patch_facts_come_from_the_schema()
    {
        var pod = PatchSchema.Of(ApiSchema.Builtin.FindType("core.v1", "PodSpec")!);

        Assert.Equal((true, "name"), (pod.Field("containers").Merge, pod.Field("containers").MergeKey));
        Assert.Equal("mountPath", pod.Field("containers").Type!.Field("volumeMounts").MergeKey);
        Assert.Equal("containerPort", pod.Field("containers").Type!.Field("ports").MergeKey);
        Assert.False(pod.Field("tolerations").Merge);
        Assert.Equal(default, pod.Field("nothing"));
        Assert.True(PatchSchema.Of(ApiSchema.Builtin.FindType("policy.v1", "PodDisruptionBudgetSpec")!).Field("selector").Replace);
        Assert.Equal((true, null), (PatchSchema.Of(ApiSchema.Builtin.FindType("meta.v1", "ObjectMeta")!).Field("finalizers") is var f ? (f.Merge, f.MergeKey) : default));
    }

    [Fact]
    public void Retain_keys_and_list_maps_are_known()
    {
        var strategy = ApiSchema.Builtin.FindType("apps.v1", "DeploymentSpec")!.Field("strategy")!;
        Assert.Equal(PatchStrategy.RetainKeys, strategy.PatchStrategy);
        var ports = ApiSchema.Builtin.FindType("core.v1", "Container")!.Field("ports")!;
        Assert.Equal((ListType.Map, "containerPort,protocol"), (ports.ListType, string.Join(',', ports.ListMapKeys)));
        Assert.Equal("\"TCP\"", ports.Type!.Field("protocol")!.Default);
        Assert.True(ApiSchema.Builtin.FindType("core.v1", "PodSpec")!.Field("nodeSelector")!.MapAtomic);
        Assert.Equal("io.k8s.api.core.v1.PodSpec", ApiSchema.Builtin.FindType("core.v1", "PodSpec")!.OpenApiName);
    }
}
