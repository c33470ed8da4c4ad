using System.Text;
using Mesh.Api;
using Mesh.Api.Core.V1;
using Mesh.Api.Meta.V1;
using Mesh.Client.Testing;
using Mesh.NodeAgent.Tests.Support;

namespace Mesh.NodeAgent.Tests.Containerd;

[Collection("containerd")]
public sealed class ContainerContentTests(ContainerdFixture containerd)
{
    [Fact]
    public async Task Environment_volumes_and_names_are_as_the_spec_says()
    {
        var api = new FakeKubeClient();
        api.Seed(new ConfigMap { Metadata = Meta("settings"), Data = new() { ["color"] = "blue", ["nested.conf"] = "a=1\n" } });
        api.Seed(new Secret { Metadata = Meta("keys"), Data = new() { ["password"] = "s3cret"u8.ToArray() } });
        api.Seed(new Service { Metadata = Meta("redis-master"), Spec = new ServiceSpec { ClusterIP = "10.96.0.77", Ports = [new ServicePort { Port = 6379, Protocol = "TCP" }] } });
        await using var agent = containerd.StartAgent(api);
        await TestPods.NodeReadyAsync(api);
        await api.CreateAsync(TestPods.Sleeper("content", "sleep 3600", p =>
        {
            p.Metadata.Labels = new() { ["app"] = "web" };
            p.Spec!.Volumes =
            [
                new Volume { Name = "config", ConfigMap = new ConfigMapVolumeSource { Name = "settings" } },
                new Volume { Name = "secret", Secret = new SecretVolumeSource { SecretName = "keys", DefaultMode = 256 } },
                new Volume { Name = "info", DownwardAPI = new DownwardAPIVolumeSource { Items = [new DownwardAPIVolumeFile { Path = "labels", FieldRef = new ObjectFieldSelector { FieldPath = "metadata.labels" } }] } },
                new Volume { Name = "memory", EmptyDir = new EmptyDirVolumeSource { Medium = "Memory", SizeLimit = "8Mi" } },
                new Volume { Name = "host", HostPath = new HostPathVolumeSource { Path = containerd.Options.DataDir + "/shared", Type = "DirectoryOrCreate" } },
            ];
            var c = p.Spec.Containers![0];
            c.VolumeMounts =
            [
                new VolumeMount { Name = "config", MountPath = "/config" },
                new VolumeMount { Name = "config", MountPath = "/one/nested.conf", SubPath = "nested.conf" },
                new VolumeMount { Name = "secret", MountPath = "/secret", ReadOnly = true },
                new VolumeMount { Name = "info", MountPath = "/info" },
                new VolumeMount { Name = "memory", MountPath = "/memory" },
                new VolumeMount { Name = "host", MountPath = "/host" },
            ];
            c.Env =
            [
                new EnvVar { Name = "COLOR", ValueFrom = new EnvVarSource { ConfigMapKeyRef = new ConfigMapKeySelector { Name = "settings", Key = "color" } } },
                new EnvVar { Name = "PASSWORD", ValueFrom = new EnvVarSource { SecretKeyRef = new SecretKeySelector { Name = "keys", Key = "password" } } },
                new EnvVar { Name = "IP", ValueFrom = new EnvVarSource { FieldRef = new ObjectFieldSelector { FieldPath = "status.podIP" } } },
                new EnvVar { Name = "BOTH", Value = "$(COLOR)-$(REDIS_MASTER_SERVICE_HOST)-$(NONE)" },
            ];
        }));
        var pod = await TestPods.PhaseAsync(api, "content", "Running");
        var id = await TestPods.ContainerIdAsync(api, "content");
        async Task<string> Run(string script) => Encoding.UTF8.GetString((await agent.Runtime.ExecAsync(id, ["sh", "-c", script], TimeSpan.FromSeconds(10), default)).Stdout);

        var env = await Run("env");
        Assert.Contains("COLOR=blue\n", env);
        Assert.Contains("PASSWORD=s3cret\n", env);
        Assert.Contains($"IP={pod.Status!.PodIP}\n", env);
        Assert.Contains("BOTH=blue-10.96.0.77-$(NONE)\n", env);
        Assert.Contains("REDIS_MASTER_PORT_6379_TCP_ADDR=10.96.0.77\n", env);
        Assert.Equal("blue", await Run("cat /config/color"));
        Assert.Equal("a=1\n", await Run("cat /one/nested.conf"));
        Assert.Equal("s3cret 400\n", await Run("echo $(cat /secret/password) $(stat -Lc %a /secret/password)"));
        Assert.Equal("app=\"web\"", await Run("cat /info/labels"));
        Assert.Contains("size=8192k", await Run("mount | /bin/busybox grep /memory"));
        await Run("echo from pod > /host/file");
        Assert.Equal("from pod\n", File.ReadAllText(containerd.Options.DataDir + "/shared/file"));
        Assert.Contains($"{pod.Status.PodIP}\tcontent\n", await Run("cat /etc/hosts"));
        Assert.Equal("content\n", await Run("hostname"));
        var resolver = await Run("cat /etc/resolv.conf");
        Assert.Contains("nameserver 10.96.0.10", resolver);
        Assert.Contains("search default.svc.cluster.local svc.cluster.local cluster.local", resolver);
        Assert.Contains("options ndots:5", resolver);

        var map = api.Find<ConfigMap>("default", "settings")!;
        map.Data!["color"] = "green";
        await api.UpdateAsync(map);
        var seen = "";
        await Eventually.TrueAsync(() => (seen = Run("cat /config/color").GetAwaiter().GetResult()) == "green", TimeSpan.FromSeconds(60), () => seen);
        Assert.Contains("COLOR=blue\n", await Run("env"));
        await TestPods.RemoveAsync(api, "content");
    }

    [Fact]
    public async Task Security_context_user_group_and_read_only_root_hold()
    {
        var api = new FakeKubeClient();
        await using var agent = containerd.StartAgent(api);
        await TestPods.NodeReadyAsync(api);
        await api.CreateAsync(TestPods.Sleeper("secured", "sleep 3600", p =>
        {
            p.Spec!.SecurityContext = new PodSecurityContext { RunAsUser = 1000, RunAsGroup = 3000, FsGroup = 2000 };
            p.Spec.Volumes = [new Volume { Name = "data", EmptyDir = new EmptyDirVolumeSource() }];
            p.Spec.Containers![0].VolumeMounts = [new VolumeMount { Name = "data", MountPath = "/data" }];
            p.Spec.Containers[0].SecurityContext = new SecurityContext { ReadOnlyRootFilesystem = true };
        }));
        await TestPods.PhaseAsync(api, "secured", "Running");
        var id = await TestPods.ContainerIdAsync(api, "secured");
        var result = await agent.Runtime.ExecAsync(id, ["sh", "-c", "echo $(id -u):$(id -g):$(id -G); echo x > /data/f; stat -c %g /data/f; touch /nope 2>&1 || true"], TimeSpan.FromSeconds(10), default);
        var text = Encoding.UTF8.GetString(result.Stdout);
        Assert.StartsWith("1000:3000:3000 2000\n2000\n", text);
        Assert.Contains("Read-only file system", text);
        await TestPods.RemoveAsync(api, "secured");
    }

    private static ObjectMeta Meta(string name) => new() { Name = name, Namespace = "default" };
}
