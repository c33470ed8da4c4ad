using System.Diagnostics;
using System.Text;

namespace Mesh.E2E.Tests.Harness;

/// <summary>What a command printed and how it ended.</summary>
public sealed record ShellResult(string Command, int ExitCode, string Output, string Error)
{
    /// <summary>The output, when the command succeeded; else the test fails with everything it said.</summary>
    public string Ok()
    {
        Assert.True(ExitCode == 0, $"`{Command}` ended with {ExitCode}\n{Output}\n{Error}");
        return Output;
    }

    /// <summary>The error text, when the command failed as it should.</summary>
    public string Fails()
    {
        Assert.True(ExitCode != 0, $"`{Command}` should have failed, but printed\n{Output}");
        return Error;
    }
}

/// <summary>Runs commands with a limit of time; nothing it starts outlives it.</summary>
public static class Shell
{
    public static async Task<ShellResult> RunAsync(
        string command, TimeSpan? limit = null, string? input = null, IReadOnlyDictionary<string, string>? environment = null, string? directory = null)
    {
        var start = new ProcessStartInfo("/bin/bash", ["-c", command])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            RedirectStandardInput = true,
            WorkingDirectory = directory ?? "/",
        };
        foreach (var (key, value) in environment ?? new Dictionary<string, string>())
            start.Environment[key] = value;
        using var process = Process.Start(start)!;
        // Bytes as they come, so that what was printed before a time-out is there and line ends are the command's own.
        StringBuilder output = new(), error = new();
        var readers = Task.WhenAll(ReadAsync(process.StandardOutput, output), ReadAsync(process.StandardError, error));
        if (input is not null)
            await process.StandardInput.WriteAsync(input);
        process.StandardInput.Close();
        using var cancel = new CancellationTokenSource(limit ?? TimeSpan.FromMinutes(1));
        try
        {
            await process.WaitForExitAsync(cancel.Token);
            // What it started in the background may hold the pipes open; everything the command itself printed is there by then.
            await Task.WhenAny(readers, Task.Delay(TimeSpan.FromSeconds(2)));
        }
        catch (OperationCanceledException)
        {
            process.Kill(entireProcessTree: true);
            return new ShellResult(command, 124, Text(output), $"timed out\n{Text(error)}");
        }

        return new ShellResult(command, process.ExitCode, Text(output), Text(error));
    }

    private static string Text(StringBuilder text)
    {
        lock (text)
            return text.ToString();
    }

    private static async Task ReadAsync(StreamReader reader, StringBuilder into)
    {
        var buffer = new char[4096];
        while (await reader.ReadAsync(buffer) is > 0 and var read)
        {
            lock (into)
                into.Append(buffer, 0, read);
        }
    }
}
