using System.Diagnostics;
using System.Runtime.InteropServices;

namespace Mesh.Events.Tests;

/// <summary>Mock brokers in a process of their own (Mesh.Events.MockKafka), started once for the tests that share it.</summary>
public sealed class KafkaCluster : IDisposable
{
    private readonly Process _process;

    public KafkaCluster()
    {
        EnsureLibrdkafka();
        _process = Process.Start(new ProcessStartInfo("dotnet", [Path.Combine(AppContext.BaseDirectory, "Mesh.Events.MockKafka.dll"), "3"])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
        })!;
        Brokers = _process.StandardOutput.ReadLine() ?? throw new InvalidOperationException("the mock cluster did not start");
    }

    public string Brokers { get; }

    public void Tell(string command)
    {
        _process.StandardInput.WriteLine(command);
        _process.StandardInput.Flush();
        if (_process.StandardOutput.ReadLine() != "ok") throw new InvalidOperationException(command + " failed");
    }

    public void Dispose()
    {
        _process.StandardInput.Close();
        if (!_process.WaitForExit(TimeSpan.FromSeconds(10))) _process.Kill();
        _process.Dispose();
    }

    private static void EnsureLibrdkafka()
    {
        if (NativeLibrary.TryLoad("librdkafka.so.1", out _)) return;
        using var apt = Process.Start(new ProcessStartInfo("sh", ["-c", "apt-get update -qq; DEBIAN_FRONTEND=noninteractive apt-get install -y -qq librdkafka1 >&2"]))!;
        apt.WaitForExit();
        if (!NativeLibrary.TryLoad("librdkafka.so.1", out _)) throw new InvalidOperationException("librdkafka1 is missing and apt-get could not install it");
    }
}
