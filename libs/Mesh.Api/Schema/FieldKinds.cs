namespace Mesh.Api.Schema;

/// <summary>What one value (or one element of a list or map) of a field is.</summary>
public enum FieldKind
{
    /// <summary>JSON string.</summary>
    String,

    /// <summary>JSON true or false.</summary>
    Bool,

    /// <summary>32-bit integer.</summary>
    Int32,

    /// <summary>64-bit integer.</summary>
    Int64,

    /// <summary>Floating point number.</summary>
    Double,

    /// <summary>Base64 in JSON, raw in protobuf.</summary>
    Bytes,

    /// <summary>metav1.Time: RFC 3339, whole seconds.</summary>
    Time,

    /// <summary>metav1.MicroTime: RFC 3339, six decimals.</summary>
    MicroTime,

    /// <summary>resource.Quantity: "100m", "1Gi"; a bare number is accepted.</summary>
    Quantity,

    /// <summary>intstr.IntOrString.</summary>
    IntOrString,

    /// <summary>runtime.RawExtension: any JSON object.</summary>
    RawExtension,

    /// <summary>metav1.FieldsV1: a JSON object of field ownership.</summary>
    FieldsV1,

    /// <summary>Any JSON value.</summary>
    Json,

    /// <summary>A JSON list of strings that protobuf wraps in a message of its own.</summary>
    Strings,

    /// <summary>An object of <c>FieldSchema.Type</c>.</summary>
    Object,

    /// <summary>A list or map inside a list or map (custom resources only), described by <c>FieldSchema.Element</c>.</summary>
    Nested,
}

/// <summary>How a field's values are gathered.</summary>
public enum FieldShape
{
    /// <summary>One value.</summary>
    Single,

    /// <summary>A JSON array.</summary>
    List,

    /// <summary>A JSON object with free keys.</summary>
    Map,
}

/// <summary>How server-side apply sees a list (x-kubernetes-list-type).</summary>
public enum ListType
{
    /// <summary>Owned and replaced as a whole.</summary>
    Atomic,

    /// <summary>Scalars, owned one by one.</summary>
    Set,

    /// <summary>Objects keyed by <c>FieldSchema.ListMapKeys</c>.</summary>
    Map,
}

/// <summary>How a strategic merge patch treats a field (x-kubernetes-patch-strategy).</summary>
[Flags]
public enum PatchStrategy
{
    /// <summary>Maps merge, lists are replaced.</summary>
    Default = 0,

    /// <summary>List elements merge, by the merge key when there is one.</summary>
    Merge = 1,

    /// <summary>Keys that the patch does not name under `$retainKeys` go away.</summary>
    RetainKeys = 2,

    /// <summary>The value is replaced even though it is a map.</summary>
    Replace = 4,
}
