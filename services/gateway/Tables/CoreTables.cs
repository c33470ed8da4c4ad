using System.Text.Json.Nodes;
using Mesh.Api;
using Mesh.Gateway.Registry.Kinds;

namespace Mesh.Gateway.Tables;

/// <summary>Tables of nodes, namespaces, configuration, events and storage.</summary>
internal static class CoreTables
{
    private const string RolePrefix = "node-role.kubernetes.io/";

    public static TableKind Node { get; } = new(
        Column.Line("Name, Status, Roles, Age, Version, Internal-IP+, External-IP+, OS-Image+, Kernel-Version+, Container-Runtime+"), static (o, now) =>
    {
        var status = o.Obj("status");
        var info = status.Obj("nodeInfo");
        var ready = Cell.Condition(status, "Ready");
        var state = ready.Length == 0 ? "Unknown" : ready == "True" ? "Ready" : "NotReady";
        return
        [
            o.Name(), o.Obj("spec").Bool("unschedulable") ? state + ",SchedulingDisabled" : state, Roles(o), Cell.Age(o, now), info.Str("kubeletVersion"),
            Address(status, "InternalIP"), Address(status, "ExternalIP"), Cell.Or(info.Str("osImage"), Cell.Unknown), Cell.Or(info.Str("kernelVersion"), Cell.Unknown),
            Cell.Or(info.Str("containerRuntimeVersion"), Cell.Unknown),
        ];
    });

    public static TableKind Namespace { get; } = new(Column.Line("Name, Status, Age"), static (o, now) => [o.Name(), o.Obj("status").Str("phase"), Cell.Age(o, now)]);

    public static TableKind ConfigMap { get; } = new(Column.Line("Name, Data, Age"), static (o, now) =>
        [o.Name(), Cell.Size(o, "data") + Cell.Size(o, "binaryData"), Cell.Age(o, now)]);

    public static TableKind Secret { get; } = new(Column.Line("Name, Type, Data, Age"), static (o, now) => [o.Name(), o.Str("type"), Cell.Size(o, "data"), Cell.Age(o, now)]);

    public static TableKind ServiceAccount { get; } = new(Column.Line("Name, Secrets, Age"), static (o, now) => [o.Name(), Cell.Size(o, "secrets"), Cell.Age(o, now)]);

    public static TableKind PodTemplate { get; } = new(Column.Line("Name, Containers, Images, Pod Labels"), static (o, _) =>
        [o.Name(), Cell.Containers(o.Obj("template")), Cell.Images(o.Obj("template")), Cell.Labels(o.Obj("template").Obj("metadata", "labels"))]);

    public static TableKind ComponentStatus { get; } = new(Column.Line("Name, Status, Message, Error"), static (o, _) =>
    {
        var healthy = o.Items("conditions").FirstOrDefault(c => c.Item.Str("type") == "Healthy").Item;
        var status = healthy.Str("status") switch { "True" => "Healthy", "False" => "Unhealthy", _ => "Unknown" };
        return [o.Name(), status, healthy.Str("message"), healthy.Str("error")];
    });

    public static TableKind Event { get; } = new(
        Column.Line("Last Seen, Type, Reason, Object, Subobject+, Source+, Message, First Seen+, Count+, Name+"), static (o, now) =>
    {
        // Both API groups say the same under other names.
        var about = o.Obj("involvedObject") ?? o.Obj("regarding");
        var first = Cell.Or(Cell.Or(o.Str("firstTimestamp"), o.Str("deprecatedFirstTimestamp")), o.Str("eventTime"));
        var series = o.Obj("series");
        var last = Cell.Or(Cell.Or(series.Str("lastObservedTime"), o.Str("lastTimestamp")), Cell.Or(o.Str("deprecatedLastTimestamp"), first));
        var count = series.Num("count") ?? o.Num("count") ?? o.Num("deprecatedCount") ?? 0;
        var kind = about.Str("kind").ToLowerInvariant();
        return
        [
            HumanDuration.Since(last, now), o.Str("type"), o.Str("reason"), about.Str("name").Length > 0 ? $"{kind}/{about.Str("name")}" : kind, about.Str("fieldPath"),
            Source(o), Cell.Or(o.Str("message"), o.Str("note")).Trim(), HumanDuration.Since(first, now), Math.Max(1, count), o.Name(),
        ];
    });

    public static TableKind PersistentVolume { get; } = new(
        Column.Line("Name, Capacity, Access Modes, Reclaim Policy, Status, Claim, StorageClass, VolumeAttributesClass, Reason, Age, VolumeMode+"), static (o, now) =>
    {
        var (spec, status) = (o.Obj("spec"), o.Obj("status"));
        var claim = spec.Obj("claimRef");
        var phase = o.Obj("metadata").Has("deletionTimestamp") ? "Terminating" : status.Str("phase");
        return
        [
            o.Name(), spec.Obj("capacity").Str("storage"), AccessModes(spec), spec.Str("persistentVolumeReclaimPolicy"), phase,
            claim is null ? string.Empty : $"{claim.Str("namespace")}/{claim.Str("name")}", StorageClassOf(o), Cell.Or(spec.Str("volumeAttributesClassName"), Cell.Unset),
            status.Str("reason"), Cell.Age(o, now), Cell.Or(spec.Str("volumeMode"), Cell.Unset),
        ];
    });

    public static TableKind PersistentVolumeClaim { get; } = new(
        Column.Line("Name, Status, Volume, Capacity, Access Modes, StorageClass, VolumeAttributesClass, Age, VolumeMode+"), static (o, now) =>
    {
        var (spec, status) = (o.Obj("spec"), o.Obj("status"));
        var bound = spec.Str("volumeName").Length > 0;
        var phase = o.Obj("metadata").Has("deletionTimestamp") ? "Terminating" : status.Str("phase");
        return
        [
            o.Name(), phase, spec.Str("volumeName"), bound ? status.Obj("capacity").Str("storage") : string.Empty, bound ? AccessModes(status) : string.Empty,
            StorageClassOf(o), Cell.Or(spec.Str("volumeAttributesClassName"), Cell.Unset), Cell.Age(o, now), Cell.Or(spec.Str("volumeMode"), Cell.Unset),
        ];
    });

    public static TableKind StorageClass { get; } = new(
        Column.Line("Name, Provisioner, ReclaimPolicy, VolumeBindingMode, AllowVolumeExpansion, Age"), static (o, now) =>
    {
        var isDefault = o.Obj("metadata", "annotations").Str("storageclass.kubernetes.io/is-default-class") == "true";
        return
        [
            isDefault ? o.Name() + " (default)" : o.Name(), o.Str("provisioner"), Cell.Or(o.Str("reclaimPolicy"), "Delete"), Cell.Or(o.Str("volumeBindingMode"), "Immediate"),
            o.Bool("allowVolumeExpansion"), Cell.Age(o, now),
        ];
    });

    public static TableKind ResourceQuota { get; } = new(Column.Line("Name, Request, Limit, Age"), static (o, now) =>
    {
        var status = o.Obj("status");
        var (requests, limits) = (new List<string>(), new List<string>());
        foreach (var (name, hard) in (status.Obj("hard") ?? []).OrderBy(p => p.Key, StringComparer.Ordinal))
            (name.StartsWith("limits.", StringComparison.Ordinal) ? limits : requests).Add($"{name}: {status.Obj("used")?[name]?.ToString() ?? "0"}/{hard}");
        return [o.Name(), string.Join(", ", requests), string.Join(", ", limits), Cell.Age(o, now)];
    });

    private static string Roles(JsonObject node)
    {
        var roles = new SortedSet<string>(StringComparer.Ordinal);
        foreach (var (key, value) in node.Obj("metadata").Map("labels"))
        {
            if (key.StartsWith(RolePrefix, StringComparison.Ordinal) && key.Length > RolePrefix.Length)
                roles.Add(key[RolePrefix.Length..]);
            else if (key == "kubernetes.io/role" && value.Length > 0)
                roles.Add(value);
        }

        return Cell.Or(string.Join(',', roles), Cell.None);
    }

    private static string Address(JsonObject? status, string type) =>
        Cell.Or(status.Items("addresses").FirstOrDefault(a => a.Item.Str("type") == type).Item.Str("address"), Cell.None);

    private static string Source(JsonObject o)
    {
        var source = o.Obj("source") ?? o.Obj("deprecatedSource");
        var component = Cell.Or(source.Str("component"), Cell.Or(o.Str("reportingComponent"), o.Str("reportingController")));
        var host = Cell.Or(source.Str("host"), o.Str("reportingInstance"));
        return host.Length > 0 ? $"{component}, {host}" : component;
    }

    private static string AccessModes(JsonObject? holder) => string.Join(',', holder.Strings("accessModes").Distinct().Select(m => m switch
    {
        "ReadWriteOnce" => "RWO",
        "ReadOnlyMany" => "ROX",
        "ReadWriteMany" => "RWX",
        "ReadWriteOncePod" => "RWOP",
        _ => m,
    }));

    private static string StorageClassOf(JsonObject o) =>
        Cell.Or(o.Obj("metadata", "annotations").Str("volume.beta.kubernetes.io/storage-class"), o.Obj("spec").Str("storageClassName"));
}
