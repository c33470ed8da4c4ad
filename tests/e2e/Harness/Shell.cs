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
            RedirectStandardOutput = true, RedirectStandardError = true, RedirectStandardInput = true, WorkingDirectory = directory ?? "/",
        };
        foreach (var (key, value) in environment ?? new Dictionary<string, string>())
            start.Environment[key] = value;
        using var process = Process.Start(start)!;
        StringBuilder output = new(), error = new();
        process.OutputDataReceived += (_, e) => Append(output, e.Data);
        process.ErrorDataReceived += (_, e) => Append(error, e.Data);
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        if (input is not null)
            await process.StandardInput.WriteAsync(input);
        process.StandardInput.Close();
        using var cancel = new CancellationTokenSource(limit ?? TimeSpan.FromMinutes(1));
        try
        {
            await process.WaitForExitAsync(cancel.Token);
        }
        catch (OperationCanceledException)
        {
            process.Kill(entireProcessTree: true);
            lock (output)
                return new ShellResult(command, 124, output.ToString(), $"timed out\n{error}");
        }

        lock (output)
            return new ShellResult(command, process.ExitCode, output.ToString(), error.ToString());

        void Append(StringBuilder text, string? line)
        {
            lock (output)
            {
                if (line is not null)
                    text.AppendLine(line);
            }
        }
    }
}
