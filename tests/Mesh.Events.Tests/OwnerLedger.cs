namespace Mesh.Events.Tests;

/// <summary>Records who owns which partition and when two own one.</summary>
public sealed class OwnerLedger
{
    private readonly Lock _lock = new();
    private readonly Dictionary<TopicPartition, string> _owners = [];
    private readonly List<string> _violations = [];

    public IReadOnlyList<string> Violations
    {
        get
        {
            lock (_lock) return [.. _violations];
        }
    }

    public Recorder Member(string name) => new(this, name);

    public sealed class Recorder(OwnerLedger ledger, string name)
    {
        public void Assigned(IReadOnlyList<TopicPartition> partitions)
        {
            lock (ledger._lock)
            {
                foreach (var partition in partitions)
                    if (!ledger._owners.TryAdd(partition, name)) ledger._violations.Add($"{partition} given to {name} while {ledger._owners[partition]} has it");
            }
        }

        public void Revoked(IReadOnlyList<TopicPartition> partitions)
        {
            lock (ledger._lock)
            {
                foreach (var partition in partitions)
                    if (!ledger._owners.Remove(partition, out var owner) || owner != name) ledger._violations.Add($"{partition} taken from {name} who does not have it");
            }
        }
    }
}
