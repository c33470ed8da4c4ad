using Mesh.Scheduler.Model;

namespace Mesh.Scheduler.Cluster;

/// <summary>A node in its slot: its name, its numbers for the engine, its labels for constraints between pods.</summary>
internal sealed record NodeEntry(string Name, NodeRow Row, IReadOnlyDictionary<string, string> Labels);
