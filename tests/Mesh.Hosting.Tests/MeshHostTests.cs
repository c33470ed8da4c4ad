using System.Net;
using Mesh.Rpc;
using Mesh.Telemetry;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Xunit;

namespace Mesh.Hosting.Tests;

public sealed class MeshHostTests
{
    [Fact]
    public async Task Services_start_in_order_and_stop_in_reverse()
    {
        var trace = new List<string>();
        await using (var host = Build([], new Traced("a", trace), new Traced("b", trace)))
        {
            await host.StartAsync();
        }
        Assert.Equal(["a started", "b started", "b stopped", "a stopped"], trace);
    }

    [Fact]
    public async Task One_service_restarts_while_the_other_runs()
    {
        var trace = new List<string>();
        await using var host = Build([], new Traced("a", trace), new Traced("b", trace));
        await host.StartAsync();
        await host.StopAsync("b");
        await host.StartAsync("b");
        Assert.Equal(["a started", "b started", "b stopped", "b started"], trace);
    }

    [Fact]
    public async Task Failure_to_start_stops_what_has_started()
    {
        var trace = new List<string>();
        await using var host = Build([], new Traced("a", trace), new Traced("b", trace, fail: true));
        await Assert.ThrowsAsync<InvalidOperationException>(() => host.StartAsync());
        Assert.Equal(["a started", "a stopped"], trace);
    }

    [Theory]
    [InlineData("http://127.0.0.1:0")]
    [InlineData("inproc://web")]
    public async Task Default_endpoints_answer_on_every_listener(string listen)
    {
        await using var host = Build(["--listen", listen], new Web());
        await host.StartAsync();
        var address = Assert.Single(host.Addresses("web"));
        using var http = new HttpClient(MeshChannel.CreateHandler(address, new MeshChannelOptions { Network = host.Network }))
        {
            BaseAddress = address.ToHttpUri(),
            DefaultRequestVersion = address.Scheme == MeshScheme.InProc ? HttpVersion.Version20 : HttpVersion.Version11,
            DefaultVersionPolicy = HttpVersionPolicy.RequestVersionExact,
        };
        Assert.Equal("ok", await http.GetStringAsync("/healthz"));
        Assert.Equal("[+]ping ok\n[+]web ok\nlivez check passed\n", await http.GetStringAsync("/livez?verbose"));
        Assert.Contains("process_resident_memory_bytes", await http.GetStringAsync("/metrics"), StringComparison.Ordinal);
        Assert.Equal("hello", await http.GetStringAsync("/hello"));
        Assert.Equal(HttpStatusCode.NotFound, (await http.GetAsync("/none")).StatusCode);
    }

    [Fact]
    public async Task Run_ends_with_code_1_when_a_worker_dies()
    {
        var log = new MemoryStream();
        var builder = MeshHost.CreateBuilder([]).UseEnvironment([]).UseLog(new LogSink(log, LogFormat.Json, TimeProvider.System)).Add(new Dying());
        Assert.Equal(1, await MeshHost.RunAsync(builder));
        Assert.Contains("a bug", System.Text.Encoding.UTF8.GetString(log.ToArray()), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Wrong_settings_end_with_code_2()
    {
        Assert.Equal(2, await MeshHost.RunAsync(MeshHost.CreateBuilder(["--no-such-flag"]).UseEnvironment([]).Add(new Web())));
        Assert.Equal(2, await MeshHost.RunAsync(MeshHost.CreateBuilder(["--listen", "ftp://x"]).UseEnvironment([]).Add(new Web())));
        Assert.Equal(2, await MeshHost.RunAsync(MeshHost.CreateBuilder(["--config", "/no/such/file"]).UseEnvironment([]).Add(new Web())));
    }

    [Fact]
    public async Task A_default_for_a_setting_that_does_not_exist_is_reported()
    {
        var log = new MemoryStream();
        await using (MeshHost.CreateBuilder([]).UseEnvironment([]).UseLog(new LogSink(log, LogFormat.Text, TimeProvider.System))
            .Set("web", "listen", "http://127.0.0.1:0").Set("web", "lisen", "x").Add(new Web()).Build())
        {
        }
        var text = System.Text.Encoding.UTF8.GetString(log.ToArray());
        Assert.Contains("setting=\"web.lisen\"", text, StringComparison.Ordinal);
        Assert.DoesNotContain("web.listen", text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Shared_objects_reach_every_service()
    {
        var shared = new List<string>();
        await using var host = MeshHost.CreateBuilder([]).UseEnvironment([]).UseLog(Quiet()).Share(shared).Add(new Web()).Add(new Traced("a", [])).Build();
        await host.StartAsync();
        Assert.Same(shared, host.ServicesOf("web").GetRequiredService<List<string>>());
        Assert.Same(shared, host.ServicesOf("a").GetRequiredService<List<string>>());
    }

    private static MeshHost Build(string[] args, params IMeshService[] services)
    {
        var builder = MeshHost.CreateBuilder(args).UseEnvironment([]).UseLog(Quiet());
        foreach (var service in services) builder.Add(service);
        return builder.Build();
    }

    private static LogSink Quiet() => new(Stream.Null, LogFormat.Text, TimeProvider.System);

    private sealed class WebOptions
    {
        public string Listen { get; set; } = "http://127.0.0.1:0";
    }

    private sealed class Web : IMeshService
    {
        public string Name => "web";

        public void Configure(MeshServiceBuilder builder)
        {
            builder.Listen(builder.Bind<WebOptions>().Listen);
            builder.Health.Add("web", () => true);
            builder.UseApp(app => app.MapGet("/hello", (RequestDelegate)(context => context.Response.WriteAsync("hello"))));
        }
    }

    private sealed class Traced(string name, List<string> trace, bool fail = false) : IMeshService
    {
        public string Name => name;

        public void Configure(MeshServiceBuilder builder) => builder.Services.AddHostedService(_ => new Worker(name, trace, fail));

        private sealed class Worker(string name, List<string> trace, bool fail) : IHostedService
        {
            public Task StartAsync(CancellationToken cancellationToken)
            {
                if (fail) throw new InvalidOperationException("refused");
                trace.Add(name + " started");
                return Task.CompletedTask;
            }

            public Task StopAsync(CancellationToken cancellationToken)
            {
                trace.Add(name + " stopped");
                return Task.CompletedTask;
            }
        }
    }

    private sealed class Dying : IMeshService
    {
        public string Name => "dying";

        public void Configure(MeshServiceBuilder builder) => builder.AddWorker<Worker>();

        private sealed class Worker : BackgroundService
        {
            protected override async Task ExecuteAsync(CancellationToken stoppingToken)
            {
                await Task.Yield();
                throw new InvalidOperationException("a bug");
            }
        }
    }
}
