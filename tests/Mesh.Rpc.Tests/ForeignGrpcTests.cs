using System.Diagnostics;
using System.Security.Cryptography.X509Certificates;
using Google.Protobuf;
using Grpc.Core;
using Mesh.Rpc.Tests.Echo;
using Xunit;

namespace Mesh.Rpc.Tests;

/// <summary>The same wire as grpcio (the C core, Debian's python3-grpcio), both directions, with and without TLS.</summary>
public sealed class ForeignGrpcTests : IDisposable
{
    private static readonly string s_scripts = Path.Combine(AppContext.BaseDirectory, "Foreign");
    private static readonly Lazy<Task> s_grpcio = new(InstallGrpcioAsync);
    private readonly string _directory = Directory.CreateTempSubdirectory("mesh-grpc-").FullName;

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    [Theory]
    [InlineData(MeshScheme.Http, false)]
    [InlineData(MeshScheme.Https, false)]
    [InlineData(MeshScheme.Unix, false)]
    [InlineData(MeshScheme.Http, true)]
    [InlineData(MeshScheme.Https, true)]
    [InlineData(MeshScheme.Unix, true)]
    public async Task Foreign_client_on_our_server(MeshScheme scheme, bool lean)
    {
        await s_grpcio.Value;
        await using var server = await EchoServer.StartAsync(scheme, requireClientCertificate: true, lean: lean, configure: o => o.ResponseCompressionAlgorithm = "gzip");
        var target = scheme == MeshScheme.Unix ? "unix:" + server.Address.Host : $"localhost:{server.Address.Port}";
        string[] files = scheme == MeshScheme.Https ? WriteCertificates(server.Pki, "client") : [];
        using var client = Start(redirectInput: false, ["echo_client.py", target, .. files]);
        using var deadline = new CancellationTokenSource(TimeSpan.FromSeconds(90));
        var output = client.StandardOutput.ReadToEndAsync(deadline.Token);
        var errors = await client.StandardError.ReadToEndAsync(deadline.Token);
        Assert.True((await output).Trim() == "ok", await output + errors);
    }

    [Theory]
    [InlineData(MeshScheme.Http)]
    [InlineData(MeshScheme.Https)]
    public async Task Our_client_on_a_foreign_server(MeshScheme scheme)
    {
        await s_grpcio.Value;
        using var pki = new TestPki();
        using var certificate = pki.Issue("client");
        string[] files = scheme == MeshScheme.Https ? WriteCertificates(pki, "server") : [];
        using var server = Start(redirectInput: true, ["echo_server.py", .. files]);
        try
        {
            var port = await server.StandardOutput.ReadLineAsync();
            using var channel = MeshChannel.Create(
                $"{(scheme == MeshScheme.Https ? "https" : "http")}://localhost:{port}", MeshChannelOptions.WithCertificates(certificate, pki.Roots));
            await CallEveryFormAsync(new EchoService.EchoServiceClient(channel));
            using var lean = LeanChannel.Create(
                $"{(scheme == MeshScheme.Https ? "https" : "http")}://localhost:{port}", MeshChannelOptions.WithCertificates(certificate, pki.Roots));
            await StreamEveryFormAsync(lean);
        }
        finally
        {
            server.StandardInput.Close();
            if (!server.WaitForExit(TimeSpan.FromSeconds(10))) server.Kill();
        }
    }

    private static async Task CallEveryFormAsync(EchoService.EchoServiceClient client)
    {
        byte[] bytes = [0, 255, 128];
        using (var unary = client.UnaryAsync(new EchoRequest { Text = "grüß" }, new Metadata { { "x-text", "hello" }, { "x-data-bin", bytes } }))
        {
            Assert.Equal("grüß", (await unary).Text);
            Assert.Equal("hello", unary.GetTrailers().GetValue("x-text"));
            Assert.Equal(bytes, unary.GetTrailers().GetValueBytes("x-data-bin"));
        }
        using (var expand = client.Expand(new EchoRequest { Count = 500 }))
        {
            var count = 0;
            await foreach (var reply in expand.ResponseStream.ReadAllAsync()) Assert.Equal(count++, reply.Number);
            Assert.Equal(500, count);
        }
        using (var collect = client.Collect())
        {
            for (var i = 1; i <= 100; i++) await collect.RequestStream.WriteAsync(new EchoRequest { Number = i });
            await collect.RequestStream.CompleteAsync();
            Assert.Equal(5050, (await collect).Number);
        }
        using (var chat = client.Chat())
        {
            for (var i = 0; i < 20; i++)
            {
                await chat.RequestStream.WriteAsync(new EchoRequest { Number = i });
                Assert.True(await chat.ResponseStream.MoveNext());
                Assert.Equal(i, chat.ResponseStream.Current.Number);
            }
            await chat.RequestStream.CompleteAsync();
            Assert.False(await chat.ResponseStream.MoveNext());
        }
        var failed = await Assert.ThrowsAsync<RpcException>(async () => await client.UnaryAsync(new EchoRequest { FailCode = 9, Text = "nöt now" }));
        Assert.Equal((StatusCode.FailedPrecondition, "nöt now"), (failed.StatusCode, failed.Status.Detail));
        var late = await Assert.ThrowsAsync<RpcException>(async () =>
            await client.UnaryAsync(new EchoRequest { DelayMs = 2000 }, deadline: DateTime.UtcNow.AddMilliseconds(200)));
        Assert.Equal(StatusCode.DeadlineExceeded, late.StatusCode);
        var payload = new byte[20 * 1024 * 1024];
        var echoed = await client.UnaryAsync(new EchoRequest { Payload = UnsafeByteOperations.UnsafeWrap(payload) }, new Metadata().WithGzip());
        Assert.Equal(payload.Length, echoed.Payload.Length);
    }

    private static async Task StreamEveryFormAsync(LeanChannel channel)
    {
        using (var expand = await WireEcho.OpenAsync(channel, "Expand"))
        {
            await expand.WriteAsync(new WireEcho(new EchoRequest { Count = 500, Payload = ByteString.CopyFrom(new byte[10_000]) }));
            expand.Complete();
            for (var i = 0; i < 500; i++) Assert.Equal(i, (await WireEcho.NextAsync(expand))!.Number);
            Assert.Null(await WireEcho.NextAsync(expand));
        }

        using (var collect = await WireEcho.OpenAsync(channel, "Collect"))
        {
            for (var i = 1; i <= 100; i++) await collect.WriteAsync(new WireEcho(new EchoRequest { Number = i }));
            collect.Complete();
            Assert.Equal(5050, (await WireEcho.NextAsync(collect))!.Number);
            Assert.Null(await WireEcho.NextAsync(collect));
        }

        await Task.WhenAll(Enumerable.Range(0, 20).Select(async caller =>
        {
            using var chat = await WireEcho.OpenAsync(channel, "Chat");
            for (var i = 0; i < 20; i++)
            {
                await chat.WriteAsync(new WireEcho(new EchoRequest { Number = caller * 100 + i, Payload = ByteString.CopyFrom(new byte[caller * 5000]) }));
                Assert.Equal(caller * 100 + i, (await WireEcho.NextAsync(chat))!.Number);
            }

            if (caller % 2 == 0) chat.Complete();
            if (caller % 2 == 0) Assert.Null(await WireEcho.NextAsync(chat));
        }));
        using var nothing = await WireEcho.OpenAsync(channel, "Nothing");
        Assert.Equal(StatusCode.Unimplemented, (await Assert.ThrowsAsync<RpcException>(() => WireEcho.NextAsync(nothing))).StatusCode);
        using var unary = await channel.OpenAsync("/mesh.test.EchoService/Unary", default, [("x-text", "hello")]);
        await unary.WriteAsync(new WireEcho(new EchoRequest { Text = "grüß" }));
        unary.Complete();
        Assert.Equal("grüß", (await WireEcho.NextAsync(unary))!.Text);
        Assert.Null(await WireEcho.NextAsync(unary));
        Assert.Equal("hello", unary.Trailers.GetValue("x-text"));
    }

    private string[] WriteCertificates(TestPki pki, string name)
    {
        using var certificate = pki.Issue(name);
        string[] paths = [Path.Combine(_directory, "cert.pem"), Path.Combine(_directory, "key.pem"), Path.Combine(_directory, "ca.pem")];
        File.WriteAllText(paths[0], certificate.ExportCertificatePem());
        File.WriteAllText(paths[1], certificate.GetECDsaPrivateKey()!.ExportPkcs8PrivateKeyPem());
        File.WriteAllText(paths[2], pki.Root.ExportCertificatePem());
        return paths;
    }

    private static Process Start(bool redirectInput, string[] args)
    {
        args[0] = Path.Combine(s_scripts, args[0]);
        return Process.Start(new ProcessStartInfo("/usr/bin/python3", args)
        {
            RedirectStandardInput = redirectInput,
            RedirectStandardOutput = true,
            RedirectStandardError = !redirectInput,
        })!;
    }

    private static async Task InstallGrpcioAsync()
    {
        if (await RunAsync("/usr/bin/python3 -c 'import grpc, google.protobuf'") == 0) return;
        await RunAsync("apt-get update -qq; DEBIAN_FRONTEND=noninteractive apt-get install -y -qq python3-grpcio python3-protobuf >&2");
        Assert.True(await RunAsync("/usr/bin/python3 -c 'import grpc, google.protobuf'") == 0, "python3-grpcio is missing and apt-get could not install it");
    }

    private static async Task<int> RunAsync(string command)
    {
        using var shell = Process.Start(new ProcessStartInfo("sh", ["-c", command]) { RedirectStandardError = true })!;
        await shell.StandardError.ReadToEndAsync();
        await shell.WaitForExitAsync();
        return shell.ExitCode;
    }
}
