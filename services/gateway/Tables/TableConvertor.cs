using System.Collections.Frozen;
using System.Text.Json;
using System.Text.Json.Nodes;
using Mesh.Api;
using Mesh.Gateway.Registry.Kinds;

namespace Mesh.Gateway.Tables;

/// <summary>Which parts of the objects go along with the rows of a table.</summary>
internal enum IncludeObject
{
    /// <summary>Their metadata (the default).</summary>
    Metadata,

    /// <summary>All of them.</summary>
    Object,

    /// <summary>Nothing.</summary>
    None,
}

/// <summary>Objects as meta.k8s.io/v1 Tables: what `kubectl get` prints. Kinds without a table of their own get name and creation time.</summary>
internal sealed class TableConvertor(TimeProvider time)
{
    private static readonly TableKind Plain = new(Column.Line("Name, Created At@"), static (o, _) => [o.Name(), o.Obj("metadata").Str("creationTimestamp")]);

    private static readonly FrozenDictionary<(string Group, string Plural), TableKind> Builtin = new Dictionary<(string, string), TableKind>
    {
        [("", "pods")] = PodTable.Kind,
        [("", "services")] = NetworkTables.Service,
        [("", "endpoints")] = NetworkTables.Endpoints,
        [("", "nodes")] = CoreTables.Node,
        [("", "namespaces")] = CoreTables.Namespace,
        [("", "configmaps")] = CoreTables.ConfigMap,
        [("", "secrets")] = CoreTables.Secret,
        [("", "serviceaccounts")] = CoreTables.ServiceAccount,
        [("", "podtemplates")] = CoreTables.PodTemplate,
        [("", "componentstatuses")] = CoreTables.ComponentStatus,
        [("", "events")] = CoreTables.Event,
        [("events.k8s.io", "events")] = CoreTables.Event,
        [("", "persistentvolumes")] = CoreTables.PersistentVolume,
        [("", "persistentvolumeclaims")] = CoreTables.PersistentVolumeClaim,
        [("", "resourcequotas")] = CoreTables.ResourceQuota,
        [("", "replicationcontrollers")] = WorkloadTables.ReplicationController,
        [("apps", "deployments")] = WorkloadTables.Deployment,
        [("apps", "replicasets")] = WorkloadTables.ReplicaSet,
        [("apps", "statefulsets")] = WorkloadTables.StatefulSet,
        [("apps", "daemonsets")] = WorkloadTables.DaemonSet,
        [("apps", "controllerrevisions")] = WorkloadTables.ControllerRevision,
        [("batch", "jobs")] = WorkloadTables.Job,
        [("batch", "cronjobs")] = WorkloadTables.CronJob,
        [("autoscaling", "horizontalpodautoscalers")] = WorkloadTables.Autoscaler,
        [("autoscaling", "scales")] = WorkloadTables.Scale,
        [("discovery.k8s.io", "endpointslices")] = NetworkTables.EndpointSlice,
        [("networking.k8s.io", "ingresses")] = NetworkTables.Ingress,
        [("networking.k8s.io", "ingressclasses")] = NetworkTables.IngressClass,
        [("networking.k8s.io", "networkpolicies")] = NetworkTables.NetworkPolicy,
        [("networking.k8s.io", "servicecidrs")] = NetworkTables.ServiceCidr,
        [("networking.k8s.io", "ipaddresses")] = NetworkTables.IpAddress,
        [("storage.k8s.io", "storageclasses")] = CoreTables.StorageClass,
        [("storage.k8s.io", "volumeattachments")] = PolicyTables.VolumeAttachment,
        [("storage.k8s.io", "csidrivers")] = PolicyTables.CsiDriver,
        [("storage.k8s.io", "csinodes")] = PolicyTables.CsiNode,
        [("rbac.authorization.k8s.io", "rolebindings")] = PolicyTables.RoleBinding,
        [("rbac.authorization.k8s.io", "clusterrolebindings")] = PolicyTables.RoleBinding,
        [("policy", "poddisruptionbudgets")] = PolicyTables.DisruptionBudget,
        [("scheduling.k8s.io", "priorityclasses")] = PolicyTables.PriorityClass,
        [("coordination.k8s.io", "leases")] = PolicyTables.Lease,
        [("node.k8s.io", "runtimeclasses")] = PolicyTables.RuntimeClass,
        [("certificates.k8s.io", "certificatesigningrequests")] = PolicyTables.SigningRequest,
        [("admissionregistration.k8s.io", "mutatingwebhookconfigurations")] = PolicyTables.Webhooks,
        [("admissionregistration.k8s.io", "validatingwebhookconfigurations")] = PolicyTables.Webhooks,
        [("admissionregistration.k8s.io", "validatingadmissionpolicies")] = PolicyTables.AdmissionPolicy,
        [("admissionregistration.k8s.io", "validatingadmissionpolicybindings")] = PolicyTables.AdmissionPolicyBinding,
        [("flowcontrol.apiserver.k8s.io", "flowschemas")] = PolicyTables.FlowSchema,
        [("flowcontrol.apiserver.k8s.io", "prioritylevelconfigurations")] = PolicyTables.PriorityLevel,
        [("apiregistration.k8s.io", "apiservices")] = PolicyTables.ApiService,
        [("resource.k8s.io", "resourceclaims")] = PolicyTables.ResourceClaim,
        [("resource.k8s.io", "resourceslices")] = PolicyTables.ResourceSlice,
        [("resource.k8s.io", "resourceclaimtemplates")] = PolicyTables.NameAndAge,
        [("resource.k8s.io", "deviceclasses")] = PolicyTables.NameAndAge,
    }.ToFrozenDictionary();

    private readonly FrozenDictionary<(string Group, string Plural), TableKind> kinds = Builtin;

    /// <summary>TableColumnDefinition objects, fresh for the caller.</summary>
    public JsonArray Columns(ApiResource resource) => [.. Of(resource).Columns.Select(c => c.ToJson())];

    /// <summary>The cells of one object, one for each column. Never throws, whatever the object looks like.</summary>
    public JsonArray Cells(ApiResource resource, JsonObject obj) => [.. Of(resource).Cells(obj, time.GetUtcNow()).Select(ToNode)];

    /// <summary>What a row says of the object as a whole: a pod that has come to its end.</summary>
    public static JsonArray? RowConditions(ApiResource resource, JsonObject obj)
    {
        if (resource is not { Group: "", Plural: "pods" } || obj.Obj("status").Str("phase") is not (("Succeeded" or "Failed") and var phase))
            return null;
        var message = phase == "Succeeded" ? "The pod has completed successfully." : "The pod failed.";
        return [new JsonObject { ["type"] = "Completed", ["status"] = "True", ["reason"] = phase, ["message"] = message }];
    }

    /// <summary>A whole Table; <paramref name="listMeta"/> is the list's metadata (null for a single object: its own revision is used).</summary>
    public JsonObject ToTable(ApiResource resource, IEnumerable<JsonObject> objects, JsonObject? listMeta, IncludeObject include, bool columns = true)
    {
        var rows = new JsonArray();
        foreach (var obj in objects)
        {
            listMeta ??= new JsonObject { ["resourceVersion"] = obj.Obj("metadata").Str("resourceVersion") };
            rows.Add(Row(resource, obj, include));
        }

        return new JsonObject
        {
            ["kind"] = "Table",
            ["apiVersion"] = "meta.k8s.io/v1",
            ["metadata"] = listMeta?.DeepClone() ?? new JsonObject(),
            ["columnDefinitions"] = columns ? Columns(resource) : [],
            ["rows"] = rows,
        };
    }

    /// <summary>The same row as <see cref="Row"/> straight into JSON, nothing copied.</summary>
    public void WriteRow(Utf8JsonWriter writer, ApiResource resource, JsonObject obj, IncludeObject include)
    {
        writer.WriteStartObject();
        writer.WritePropertyName("cells"u8);
        Cells(resource, obj).WriteTo(writer);
        if (RowConditions(resource, obj) is { } conditions)
        {
            writer.WritePropertyName("conditions"u8);
            conditions.WriteTo(writer);
        }

        if (include != IncludeObject.None) writer.WritePropertyName("object"u8);
        if (include == IncludeObject.Object)
        {
            obj.WriteTo(writer);
        }
        else if (include == IncludeObject.Metadata)
        {
            writer.WriteStartObject();
            writer.WriteString("kind"u8, "PartialObjectMetadata"u8);
            writer.WriteString("apiVersion"u8, "meta.k8s.io/v1"u8);
            writer.WritePropertyName("metadata"u8);
            if (obj.Obj("metadata") is { } metadata) metadata.WriteTo(writer);
            else new JsonObject().WriteTo(writer);
            writer.WriteEndObject();
        }

        writer.WriteEndObject();
    }

    /// <summary>One row with the asked part of its object.</summary>
    public JsonObject Row(ApiResource resource, JsonObject obj, IncludeObject include)
    {
        var row = new JsonObject { ["cells"] = Cells(resource, obj) };
        if (RowConditions(resource, obj) is { } conditions)
            row["conditions"] = conditions;
        if (include == IncludeObject.Object)
        {
            row["object"] = obj.DeepClone();
        }
        else if (include == IncludeObject.Metadata)
        {
            row["object"] = new JsonObject
            {
                ["kind"] = "PartialObjectMetadata",
                ["apiVersion"] = "meta.k8s.io/v1",
                ["metadata"] = obj.Obj("metadata")?.DeepClone() ?? new JsonObject(),
            };
        }

        return row;
    }

    private TableKind Of(ApiResource resource) => kinds.GetValueOrDefault((resource.Group, resource.Plural), Plain);

    private static JsonNode? ToNode(object? cell) => cell switch
    {
        string text => JsonValue.Create(text),
        int number => JsonValue.Create(number),
        long number => JsonValue.Create(number),
        bool flag => JsonValue.Create(flag),
        _ => null,
    };
}
