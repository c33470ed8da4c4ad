using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Xunit;

namespace Mesh.Telemetry.Tests;

public sealed class TracingTests
{
    [Fact]
    public async Task Spans_reach_a_collector()
    {
        var received = new TaskCompletionSource<byte[]>(TaskCreationOptions.RunContinuationsAsynchronously);
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().UseUrls("http://127.0.0.1:0");
        await using var collector = builder.Build();
        collector.Run(async context =>
        {
            var body = new MemoryStream();
            await context.Request.Body.CopyToAsync(body);
            if (context.Request.Path == "/v1/traces") received.TrySetResult(body.ToArray());
        });
        await collector.StartAsync();

        using (MeshTracing.Start(new Uri(collector.Urls.Single() + "/v1/traces"), "scheduler"))
        using (MeshTracing.Source.StartActivity("schedule-pod"))
        {
        }
        var text = Encoding.UTF8.GetString(await received.Task.WaitAsync(TimeSpan.FromSeconds(30)));
        Assert.Contains("schedule-pod", text, StringComparison.Ordinal);
        Assert.Contains("scheduler", text, StringComparison.Ordinal);
    }
}
