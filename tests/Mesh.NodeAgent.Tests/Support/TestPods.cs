using System.Text;
using Mesh.Api.Core.V1;
using Mesh.Api.Meta.V1;
using Mesh.Client.Testing;

namespace Mesh.NodeAgent.Tests.Support;

/// <summary>Pods for tests, and waiting for what becomes of them.</summary>
internal static class TestPods
{
    public const string Image = "docker.io/local/busybox:1";

    public static Pod Sleeper(string name, string script = "sleep 3600", Action<Pod>? change = null)
    {
        var pod = new Pod
        {
            Metadata = new ObjectMeta { Name = name, Namespace = "default", Uid = Guid.NewGuid().ToString() },
            Spec = new PodSpec
            {
                NodeName = "test-node",
                RestartPolicy = "Always",
                TerminationGracePeriodSeconds = 2,
                Containers = [new Container { Name = "main", Image = Image, ImagePullPolicy = "IfNotPresent", Command = ["sh", "-c", script] }],
            },
        };
        change?.Invoke(pod);
        return pod;
    }

    public static async Task NodeReadyAsync(FakeKubeClient api, string node = "test-node") =>
        await Eventually.TrueAsync(
            () => api.Find<Node>(null, node)?.Status?.Conditions?.Any(c => c is { Type: "Ready", Status: "True" }) == true,
            TimeSpan.FromSeconds(30),
            () => Json(api.Find<Node>(null, node)));

    public static async Task<Pod> PhaseAsync(FakeKubeClient api, string name, string phase, int seconds = 30) =>
        await UntilAsync(api, name, p => p.Status?.Phase == phase, seconds);

    public static async Task<Pod> UntilAsync(FakeKubeClient api, string name, Func<Pod, bool> condition, int seconds = 30)
    {
        await Eventually.TrueAsync(
            () => api.Find<Pod>("default", name) is { } p && condition(p),
            TimeSpan.FromSeconds(seconds),
            () => Json(api.Find<Pod>("default", name)?.Status) + string.Join("\n", api.All<Event>().Select(e => $"{e.Reason}: {e.Message}")));
        return api.Find<Pod>("default", name)!;
    }

    /// <summary>What the API server does on DELETE of a running pod: marks it and lets the node end it.</summary>
    public static Task DeleteAsync(FakeKubeClient api, string name, long grace = 2) =>
        api.DeleteAsync<Pod>("default", name, new DeleteOptions { GracePeriodSeconds = grace });

    /// <summary>Deletes the pod and waits until the node has let it go.</summary>
    public static async Task RemoveAsync(FakeKubeClient api, string name)
    {
        await DeleteAsync(api, name, 1);
        await Eventually.TrueAsync(() => api.Find<Pod>("default", name) is null, TimeSpan.FromSeconds(30));
    }

    /// <summary>The runtime's id of the pod's first container.</summary>
    public static async Task<string> ContainerIdAsync(FakeKubeClient api, string name)
    {
        var pod = await UntilAsync(api, name, p => p.Status?.ContainerStatuses is [{ State.Running: not null }, ..]);
        return pod.Status!.ContainerStatuses![0].ContainerID!.Split("://")[1];
    }

    private static string Json<T>(T? value)
        where T : class, Mesh.Api.IKubeValue<T> => value is null ? "null" : Encoding.UTF8.GetString(Mesh.Api.KubeJson.Serialize(value));
}
