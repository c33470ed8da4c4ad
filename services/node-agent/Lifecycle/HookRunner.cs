using System.Text;
using Mesh.Api.Core.V1;
using Mesh.NodeAgent.Probes;
using Mesh.NodeAgent.Runtime;

namespace Mesh.NodeAgent.Lifecycle;

/// <summary>Runs postStart and preStop handlers.</summary>
internal sealed class HookRunner(IContainerRuntime runtime, TimeProvider time)
{
    private const string UserAgent = "kube-lifecycle/1.36";

    /// <summary>Null when the hook succeeded, else what went wrong.</summary>
    public async Task<string?> RunAsync(LifecycleHandler handler, Container spec, string containerId, string podIP, CancellationToken ct)
    {
        try
        {
            if (handler.Exec is { } exec)
            {
                var result = await runtime.ExecAsync(containerId, exec.Command ?? [], TimeSpan.Zero, ct);
                return result.ExitCode == 0
                    ? null
                    : $"command '{string.Join(' ', exec.Command ?? [])}' exited with {result.ExitCode}: {Encoding.UTF8.GetString([.. result.Stdout, .. result.Stderr])}";
            }

            if (handler.HttpGet is { } http)
            {
                using var client = HttpTarget.Client();
                var url = HttpTarget.Url(http, http.Host is { Length: > 0 } own ? own : podIP, HttpTarget.Port(http.Port, spec));
                using var request = HttpTarget.Request(url, http.HttpHeaders, UserAgent);
                using var response = await client.SendAsync(request, ct);
                return null;
            }

            if (handler.Sleep is { } sleep)
            {
                await Task.Delay(TimeSpan.FromSeconds(sleep.Seconds ?? 0), time, ct);
                return null;
            }

            return "invalid handler";
        }
        catch (Exception e) when (e is RuntimeException or HttpRequestException)
        {
            return e.Message;
        }
    }
}
