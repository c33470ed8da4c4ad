using Mesh.Api.Batch.V1;
using Mesh.Api.Core.V1;
using Mesh.Api.Meta.V1;
using Mesh.Controllers.CronJobs;
using Mesh.Controllers.Jobs;
using Mesh.Controllers.Tests.Framework;
using Xunit;

namespace Mesh.Controllers.Tests.CronJobs;

public sealed class CronJobTests : ControllerTest
{
    private CronJob Now => Client.Find<CronJob>("ns", "tick")!;

    [Theory]
    [InlineData("*/5 * * * *", null, "2026-01-01T00:00:00Z", "2026-01-01T00:05:00Z")]
    [InlineData("30 2 * * *", "Europe/Berlin", "2026-01-01T00:00:00Z", "2026-01-01T01:30:00Z")]
    [InlineData("30 2 29 3 *", "Europe/Berlin", "2026-01-01T00:00:00Z", "2027-03-29T00:30:00Z")] // in 2026 the clocks leave that hour out
    [InlineData("0 0 13 * fri", null, "2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z")] // either of the two
    [InlineData("0 0 29 2 *", null, "2026-01-01T00:00:00Z", "2028-02-29T00:00:00Z")]
    [InlineData("0 9-17/4 * jan-mar mon-fri", null, "2026-01-01T10:00:00Z", "2026-01-01T13:00:00Z")]
    [InlineData("@hourly", null, "2026-01-01T00:30:10Z", "2026-01-01T01:00:00Z")]
    [InlineData("@every 1h30m", null, "2026-01-01T00:00:00Z", "2026-01-01T01:30:00Z")]
    [InlineData("@every 90999ms", null, "2026-01-01T00:00:00Z", "2026-01-01T00:01:30Z")]
    [InlineData("@every 7us", null, "2026-01-01T00:00:00Z", "2026-01-01T00:00:01Z")]
    [InlineData("0 0 31 2 *", null, "2026-01-01T00:00:00Z", null)]
    public void Times(string schedule, string? zone, string after, string? next) =>
        Assert.Equal(next is null ? null : Utc(next), CronTimes.Parse(schedule, zone).Next(Utc(after)));

    [Theory]
    [InlineData("61 * * * *")]
    [InlineData("* * * *")]
    [InlineData("x * * * *")]
    [InlineData("*/0 * * * *")]
    public void What_is_no_schedule(string schedule) => Assert.Throws<FormatException>(() => CronTimes.Parse(schedule, null));

    [Fact]
    public async Task Makes_a_job_at_its_time_follows_it_and_forgets_old_ones()
    {
        Client.Seed(Cron("* * * * *", s => s.SuccessfulJobsHistoryLimit = 1));
        using var c = new CronJobController(Context);
        await StartAsync(c);
        await SettleAsync(() => c.Queue.Count == 0, "seen", c);
        Assert.Empty(Client.All<Job>());

        Time.Advance(TimeSpan.FromSeconds(61));
        await SettleAsync(() => Client.All<Job>().Count == 1 && Now.Status?.Active?.Count == 1, "made", c);
        var job = Client.All<Job>()[0];
        Assert.Equal(("tick-29453761", "CronJob", "2026-01-01T00:01:00Z", "yes"), (job.Metadata.Name, job.Metadata.OwnerReferences![0].Kind, job.Metadata.Annotations!["batch.kubernetes.io/cronjob-scheduled-timestamp"], job.Metadata.Labels!["l"]));
        Assert.Equal(Utc("2026-01-01T00:01:00Z"), Now.Status!.LastScheduleTime);
        Assert.Contains("Normal SuccessfulCreate: Created job tick-29453761", Events.All);

        Finish(job);
        var seen = Context.Informers.For<CronJob>().Lister;
        await SettleAsync(() => seen.Get("ns", "tick")!.Status is { Active: null, LastSuccessfulTime: not null }, "followed", c);
        Assert.Contains("Normal SawCompletedJob: Saw completed job: tick-29453761, condition: Complete", Events.All);
        Time.Advance(TimeSpan.FromSeconds(60));
        await SettleAsync(() => Client.All<Job>().Count == 2, "the next", c);
        Finish(Client.All<Job>()[1]);
        await SettleAsync(() => Client.All<Job>().Count == 1, "the first is forgotten", c);
        Assert.Equal("tick-29453762", Client.All<Job>()[0].Metadata.Name);
        Assert.DoesNotContain(Events.All, e => e.Contains("UnexpectedJob"));
    }

    [Theory]
    [InlineData("Allow", 2, "Normal SuccessfulCreate: Created job tick-29453762")]
    [InlineData("Forbid", 1, "Normal JobAlreadyActive: Not starting job because prior execution is running and concurrency policy is Forbid")]
    [InlineData("Replace", 1, "Normal SuccessfulDelete: Deleted job tick-29453761")]
    public async Task Concurrency(string policy, int jobs, string said)
    {
        Client.Seed(Cron("* * * * *", s => s.ConcurrencyPolicy = policy));
        using var c = new CronJobController(Context);
        await StartAsync(c);
        await SettleAsync(() => c.Queue.Count == 0, "seen", c);
        Time.Advance(TimeSpan.FromSeconds(61));
        // Time jumps in this test: the controller must have seen its own first job before the next minute comes.
        var seen = Context.Informers.For<CronJob>().Lister;
        await SettleAsync(() => seen.Get("ns", "tick")?.Status?.Active?.Count == 1 && c.Queue.Count == 0, "first", c);
        Time.Advance(TimeSpan.FromSeconds(60));
        await SettleAsync(() => Events.All.Contains(said) && Client.All<Job>().Count == jobs, "second", c);
    }

    [Fact]
    public void Suspended_late_and_too_many()
    {
        var cron = Cron("* * * * *", s => s.Suspend = true);
        cron.Metadata.CreationTimestamp = Utc("2026-01-01T00:00:00Z");
        Assert.Null(CronJobDecision.Decide(cron, [], Utc("2026-01-01T00:05:00Z")).Create);

        cron.Spec!.Suspend = false;
        var late = CronJobDecision.Decide(cron, [], Utc("2026-01-01T05:00:30Z"));
        Assert.Equal(Utc("2026-01-01T05:00:00Z"), late.Create!.Value.At);
        Assert.Contains(late.News, n => n.Reason == "TooManyMissedTimes");
        Assert.Equal(TimeSpan.FromSeconds(30.1), late.Recheck);

        cron.Spec.Schedule = "0 * * * *";
        cron.Spec.StartingDeadlineSeconds = 20;
        Assert.Null(CronJobDecision.Decide(cron, [], Utc("2026-01-01T05:00:30Z")).Create);
        Assert.NotNull(CronJobDecision.Decide(cron, [], Utc("2026-01-01T05:00:10Z")).Create);
    }

    private void Finish(Job job)
    {
        job.Status = new JobStatus { StartTime = Time.Now, CompletionTime = Time.Now, Conditions = [JobConditions.New("Complete", "CompletionsReached", "", Time.Now)] };
        Client.Seed(job);
    }

    private static DateTime Utc(string text) => DateTime.Parse(text, null, System.Globalization.DateTimeStyles.AdjustToUniversal);

    private static CronJob Cron(string schedule, Action<CronJobSpec>? change = null)
    {
        var cron = new CronJob
        {
            Metadata = new ObjectMeta { Namespace = "ns", Name = "tick" },
            Spec = new CronJobSpec
            {
                Schedule = schedule,
                ConcurrencyPolicy = "Allow",
                JobTemplate = new JobTemplateSpec { Metadata = new ObjectMeta { Labels = new() { ["l"] = "yes" } }, Spec = new JobSpec { Template = Make.Template() } },
            },
        };
        change?.Invoke(cron.Spec);
        return cron;
    }
}
