using Mesh.E2E.Tests.Harness;

namespace Mesh.E2E.Tests.Scenarios;

/// <summary>A cron job makes a job at its minute, which runs in a real container and goes when its time after the end has passed.</summary>
[Collection("cluster")]
public sealed class CronJobTests(SharedCluster shared)
{
    private const string Manifest = """
        apiVersion: batch/v1
        kind: CronJob
        metadata: {name: tick}
        spec:
          schedule: "* * * * *"
          concurrencyPolicy: Forbid
          jobTemplate:
            spec:
              ttlSecondsAfterFinished: 5
              template: {spec: {restartPolicy: Never, containers: [{name: c, image: docker.io/local/busybox:1, command: [sh, -c, "echo ticked"]}]}}
        """;

    private readonly Cluster cluster = shared.Cluster;

    [Fact]
    public async Task AJobOfTheMinuteRunsAndGoesAfterItsTime()
    {
        await cluster.KubectlAsync("create namespace cron");
        await cluster.UntilAsync("kubectl get sa default -n cron -o name", o => o.Contains("default"));
        Assert.Equal("cronjob.batch/tick created\n", await cluster.KubectlAsync("create -n cron -f -", Manifest));

        // By hand, and then suspended before the minute is over or not: what comes from it is the same job.
        Assert.Equal("job.batch/by-hand created\n", await cluster.KubectlAsync("create job by-hand -n cron --from=cronjob/tick"));
        await cluster.UntilAsync("kubectl logs -n cron job/by-hand", o => o == "ticked\n");
        await cluster.UntilAsync("kubectl get cronjob tick -n cron -o jsonpath='{.status.lastScheduleTime} {.status.lastSuccessfulTime}'", o => o.Trim().Split(' ').Length == 2, TimeSpan.FromSeconds(120));
        Assert.Contains("SuccessfulCreate", await cluster.KubectlAsync("events -n cron --for cronjob/tick"));
        await cluster.KubectlAsync("patch cronjob tick -n cron -p '{\"spec\":{\"suspend\":true}}'");
        await cluster.UntilAsync("kubectl get jobs,pods -n cron -o name", o => o.Trim().Length == 0);
        Assert.Matches(@"tick +\* \* \* \* \* +<none> +True +0 ", await cluster.KubectlAsync("get cronjob tick -n cron"));
        await cluster.KubectlAsync("delete namespace cron --wait=false");
    }
}
