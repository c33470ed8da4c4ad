using System.Text.Json;
using Mesh.Api.Meta.V1;

namespace Mesh.Api;

/// <summary>A generated API type: reads and writes itself as JSON, copies and compares itself.</summary>
/// <typeparam name="TSelf">The type itself.</typeparam>
public interface IKubeValue<TSelf>
    where TSelf : class, IKubeValue<TSelf>
{
    /// <summary>Reads the object at the reader's current StartObject token and leaves the reader on its EndObject. Unknown fields are skipped.</summary>
    /// <exception cref="JsonException">A value has the wrong type.</exception>
    static abstract TSelf ReadJson(ref Utf8JsonReader reader);

    /// <summary>Writes the object; what is null is left out.</summary>
    void WriteJson(Utf8JsonWriter writer);

    /// <summary>A deep copy.</summary>
    TSelf Clone();

    /// <summary>
    /// Equal in meaning: null equals empty for lists, maps and value structs, and equals zero for scalars whose absence means
    /// zero; quantities compare by value.
    /// </summary>
    static abstract bool SemanticEquals(TSelf? a, TSelf? b);
}

/// <summary>A top-level API object.</summary>
public interface IKubeObject
{
    /// <summary>Group and version, "apps/v1" or "v1".</summary>
    string ApiVersion { get; }

    /// <summary>Kind name, "Deployment".</summary>
    string Kind { get; }

    /// <summary>Standard object metadata; never null.</summary>
    ObjectMeta Metadata { get; set; }

    /// <summary>Writes the object as JSON with its apiVersion and kind.</summary>
    void WriteJson(Utf8JsonWriter writer);
}

/// <summary>A top-level API object whose type is known.</summary>
/// <typeparam name="TSelf">The type itself.</typeparam>
public interface IKubeObject<TSelf> : IKubeObject, IKubeValue<TSelf>
    where TSelf : class, IKubeObject<TSelf>
{
    /// <summary>The REST resource that holds objects of this kind.</summary>
    static abstract ApiResource Resource { get; }
}
