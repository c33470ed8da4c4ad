using System.Net;

namespace Mesh.Rpc;

/// <summary>Endpoint of a listener in this process; its name is unique within one <see cref="InProcNetwork"/>.</summary>
public sealed class InProcEndPoint(string name) : EndPoint, IEquatable<InProcEndPoint>
{
    /// <summary>The name, as in <c>inproc://name</c>.</summary>
    public string Name { get; } = name;

    /// <inheritdoc/>
    public bool Equals(InProcEndPoint? other) => other is not null && other.Name == Name;

    /// <inheritdoc/>
    public override bool Equals(object? obj) => Equals(obj as InProcEndPoint);

    /// <inheritdoc/>
    public override int GetHashCode() => Name.GetHashCode(StringComparison.Ordinal);

    /// <inheritdoc/>
    public override string ToString() => "inproc://" + Name;
}
