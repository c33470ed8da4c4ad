using System.Diagnostics;
using System.Globalization;
using System.Security.Cryptography.X509Certificates;

namespace Mesh.Perf.Api;

/// <summary>An API server under measurement: its processes, its port, and who asks.</summary>
internal abstract class ApiTarget : IAsyncDisposable
{
    protected List<Process> Processes { get; } = [];

    /// <summary>How the tables call it.</summary>
    public abstract string Name { get; }

    /// <summary>The counter of its metrics that counts allocated bytes.</summary>
    public abstract string AllocatedMetric { get; }

    /// <summary>Where it serves HTTPS on loopback.</summary>
    public required int Port { get; init; }

    /// <summary>An administrator.</summary>
    public required X509Certificate2 Client { get; init; }

    public required X509Certificate2 Authority { get; init; }

    /// <summary>The data directory, made for this run and removed at its end.</summary>
    public required string Directory { get; init; }

    /// <summary>Ids of the processes: store and API server, or the one of both.</summary>
    public IEnumerable<int> Ids => Processes.Select(p => p.Id);

    /// <summary>CPU seconds of all processes so far.</summary>
    public double Cpu => Processes.Sum(p =>
    {
        p.Refresh();
        return p.TotalProcessorTime.TotalSeconds;
    });

    /// <summary>Resident memory of all, in MiB.</summary>
    public double Resident => Processes.Sum(p =>
    {
        p.Refresh();
        return p.WorkingSet64 / 1048576.0;
    });

    /// <summary>Bytes all have written to disk so far.</summary>
    public long Written => Processes.Sum(p => long.Parse(
        File.ReadLines($"/proc/{p.Id}/io").First(l => l.StartsWith("write_bytes", StringComparison.Ordinal)).Split(' ')[1], CultureInfo.InvariantCulture));

    public async ValueTask DisposeAsync()
    {
        foreach (var process in Enumerable.Reverse(Processes))
        {
            process.Kill();
            await process.WaitForExitAsync();
            process.Dispose();
        }

        Client.Dispose();
        Authority.Dispose();
        System.IO.Directory.Delete(Directory, recursive: true);
    }

    /// <summary>Starts a process; its errors are ours.</summary>
    protected static Process Launch(string program, IEnumerable<string> arguments, bool quiet = false)
    {
        var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardError = true, RedirectStandardOutput = true })!;
        process.ErrorDataReceived += (_, e) =>
        {
            if (!quiet && e.Data is { Length: > 0 } line) Console.Error.WriteLine(line);
        };
        process.OutputDataReceived += static (_, _) => { };
        process.BeginErrorReadLine();
        process.BeginOutputReadLine();
        return process;
    }

    /// <summary>Waits until the namespace "default" is answered, 60 s at most.</summary>
    protected async Task WaitAsync(CancellationToken ct)
    {
        for (var left = 600; ; left--)
        {
            if (Processes.Find(p => p.HasExited) is { } gone) throw new InvalidOperationException($"{Name}: {gone.StartInfo.FileName} ended with {gone.ExitCode}");
            try
            {
                await using var wire = await HttpWire.ConnectAsync(this, ct);
                var (status, _) = await wire.SendAsync("GET", "/api/v1/namespaces/default", default, ct);
                if (status == 200) return;
            }
            catch (Exception e) when (e is IOException or System.Net.Sockets.SocketException && left > 0)
            {
            }

            if (left == 0) throw new InvalidOperationException($"{Name} does not answer");
            await Task.Delay(100, ct);
        }
    }
}
