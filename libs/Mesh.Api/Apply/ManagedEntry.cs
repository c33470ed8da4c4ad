using System.Text.Json;

namespace Mesh.Api.Apply;

/// <summary>
/// One entry of metadata.managedFields: what one manager owns by one kind of operation. Immutable. Entries read from stored objects keep
/// the bytes of their set and decode it only when somebody must know it.
/// </summary>
public sealed class ManagedEntry
{
    private readonly ReadOnlyMemory<byte> encoded;
    private FieldSet? set;

    private ManagedEntry(ManagedEntry other, string? time)
        : this(other.Manager, other.Applied, other.ApiVersion, other.Subresource, time)
    {
        encoded = other.encoded;
        set = other.set;
    }

    private ManagedEntry(string manager, bool applied, string apiVersion, string subresource, string? time) =>
        (Manager, Applied, ApiVersion, Subresource, Time) = (manager, applied, apiVersion, subresource, time);

    /// <summary>An entry of a set.</summary>
    public ManagedEntry(string manager, bool applied, string apiVersion, string subresource, string? time, FieldSet set)
        : this(manager, applied, apiVersion, subresource, time)
    {
        this.set = set;
        encoded = FieldsV1.Encode(set);
    }

    /// <summary>An entry of a set's bytes as they were written here.</summary>
    internal ManagedEntry(string manager, bool applied, string apiVersion, string subresource, string? time, ReadOnlyMemory<byte> encoded)
        : this(manager, applied, apiVersion, subresource, time) => this.encoded = encoded;

    /// <summary>Manager name.</summary>
    public string Manager { get; }

    /// <summary>Operation Apply; else Update.</summary>
    public bool Applied { get; }

    /// <summary>Version in which the fields are named.</summary>
    public string ApiVersion { get; }

    /// <summary>Subresource through which the manager wrote, "" for the object itself.</summary>
    public string Subresource { get; }

    /// <summary>RFC 3339, or null.</summary>
    public string? Time { get; }

    /// <summary>What is owned.</summary>
    public FieldSet Set => set ??= FieldsV1.Decode(encoded.Span, trusted: true) ?? FieldSet.Empty;

    /// <summary>The set's JSON.</summary>
    internal ReadOnlySpan<byte> Encoded => encoded.Span;

    /// <summary>Who it is, as conflicts are told: `"kubectl" using apps/v1`.</summary>
    public string Description
    {
        get
        {
            var text = GoText.Quote(Manager);
            if (Subresource.Length > 0) text += " with subresource " + GoText.Quote(Subresource);
            return Applied ? text : $"{text} using {ApiVersion}";
        }
    }

    /// <summary>Whether the other is of the same manager, operation, version and subresource. Appliers are the same in every version.</summary>
    internal bool IsSameManager(ManagedEntry other) => Is(other.Manager, other.Applied, other.ApiVersion, other.Subresource);

    /// <summary>Whether it is this manager's.</summary>
    internal bool Is(string manager, bool applied, string apiVersion, string subresource) =>
        Applied == applied && Manager == manager && Subresource == subresource && (applied || ApiVersion == apiVersion);

    /// <summary>Whether the entries differ at most in their times.</summary>
    internal bool SameBesidesTime(ManagedEntry other) =>
        IsSameManager(other) && ApiVersion == other.ApiVersion && (Encoded.SequenceEqual(other.Encoded) || Set.Equals(other.Set));

    /// <summary>The same with another time.</summary>
    internal ManagedEntry At(string? time) => time == Time ? this : new ManagedEntry(this, time);

    /// <summary>The same manager with another set.</summary>
    internal ManagedEntry With(FieldSet fields, string? time = null) =>
        ReferenceEquals(fields, set) ? At(time ?? Time) : new ManagedEntry(Manager, Applied, ApiVersion, Subresource, time ?? Time, fields);

    /// <summary>Writes the entry.</summary>
    internal void WriteTo(Utf8JsonWriter writer)
    {
        writer.WriteStartObject();
        writer.WriteString("manager"u8, Manager);
        writer.WriteString("operation"u8, Applied ? "Apply"u8 : "Update"u8);
        writer.WriteString("apiVersion"u8, ApiVersion);
        if (Time is not null) writer.WriteString("time"u8, Time);
        writer.WriteString("fieldsType"u8, "FieldsV1"u8);
        writer.WritePropertyName("fieldsV1"u8);
        writer.WriteRawValue(Encoded, skipInputValidation: true);
        if (Subresource.Length > 0) writer.WriteString("subresource"u8, Subresource);
        writer.WriteEndObject();
    }
}
