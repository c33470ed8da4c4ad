using System.Globalization;

namespace Mesh.Api;

/// <summary>Where a field is in an object, as Kubernetes prints it: spec.containers[0].env[x].name.</summary>
public readonly record struct FieldPath(string Text)
{
    /// <summary>The object itself.</summary>
    public static FieldPath Root => new(string.Empty);

    /// <summary>The path of no name, as Kubernetes prints it of rules that are about the whole.</summary>
    public static FieldPath Nameless => new("[]");

    /// <summary>A field's name is a path.</summary>
    public static implicit operator FieldPath(string text) => new(text);

    /// <summary>A field of this one.</summary>
    public FieldPath Child(string name) => new(string.IsNullOrEmpty(Text) ? name : Text + "." + name);

    /// <summary>A field of a field of this one.</summary>
    public FieldPath Child(string first, string second) => Child(first).Child(second);

    /// <summary>An element of a list.</summary>
    public FieldPath Index(int index) => new(Text + "[" + index.ToString(CultureInfo.InvariantCulture) + "]");

    /// <summary>A value of a map.</summary>
    public FieldPath Key(string key) => new(Text + "[" + key + "]");

    /// <inheritdoc/>
    public override string ToString() => string.IsNullOrEmpty(Text) ? "<nil>" : Text;
}
