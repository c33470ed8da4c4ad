using System.Collections.Concurrent;
using System.Diagnostics;
using System.Text.Json;

namespace Mesh.Store.Tests.Proofs;

/// <summary>An operation as its client saw it. Times are ticks of one clock; an operation that nobody heard the end of has no end.</summary>
internal sealed record Operation(int Client, string Kind, string Key, string? Argument, long Expected, long Start)
{
    /// <summary>When the answer came; <see cref="long.MaxValue"/> when none did: it may have happened, or may yet, or never.</summary>
    public long End { get; set; } = long.MaxValue;

    /// <summary>The value read, or null.</summary>
    public string? Value { get; set; }

    /// <summary>The key's revision as read or written; 0 for no key.</summary>
    public long Revision { get; set; }

    /// <summary>Whether a comparison held.</summary>
    public bool Succeeded { get; set; } = true;

    public bool Answered => End != long.MaxValue;
}

/// <summary>What clients did and saw, and the seed that made them do it; written to a file that a failure names.</summary>
internal sealed class History(string name, int seed)
{
    private readonly ConcurrentQueue<object> _lines = new();

    public static long Now => Stopwatch.GetTimestamp();

    public IReadOnlyList<Operation> Operations => [.. _lines.OfType<Operation>()];

    public void Add(object line) => _lines.Enqueue(line);

    /// <summary>Writes the file (MESH_HISTORY_DIR, or histories/ beside the tests) and says where it is.</summary>
    public string Save()
    {
        var directory = Environment.GetEnvironmentVariable("MESH_HISTORY_DIR") ?? Path.Combine(AppContext.BaseDirectory, "histories");
        Directory.CreateDirectory(directory);
        var path = Path.Combine(directory, $"{name}-{seed}.jsonl");
        File.WriteAllLines(path, _lines.Select(static l => JsonSerializer.Serialize(l, l.GetType())).Prepend(JsonSerializer.Serialize(new { name, seed })));
        return $"seed {seed}, history in {path}";
    }
}
