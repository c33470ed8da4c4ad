using System.Text.Json.Nodes;
using Mesh.Gateway.Registry.Kinds;

namespace Mesh.Gateway.Tables;

/// <summary>Tables of access control, policy, admission and the rest of the cluster's own kinds.</summary>
internal static class PolicyTables
{
    public static TableKind RoleBinding { get; } = new(Column.Line("Name, Role, Age, Users+, Groups+, ServiceAccounts+"), static (o, now) =>
    {
        var role = o.Obj("roleRef");
        var accounts = string.Join(", ", o.Items("subjects").Where(s => s.Item.Str("kind") == "ServiceAccount").Select(s => $"{s.Item.Str("namespace")}/{s.Item.Str("name")}"));
        return [o.Name(), $"{role.Str("kind")}/{role.Str("name")}", Cell.Age(o, now), Subjects(o, "User"), Subjects(o, "Group"), accounts];
    });

    public static TableKind DisruptionBudget { get; } = new(Column.Line("Name, Min Available, Max Unavailable, Allowed Disruptions#, Age"), static (o, now) =>
    {
        var spec = o.Obj("spec");
        return
        [
            o.Name(), spec?["minAvailable"]?.ToString() ?? "N/A", spec?["maxUnavailable"]?.ToString() ?? "N/A", Cell.Count(o.Obj("status"), "disruptionsAllowed"), Cell.Age(o, now),
        ];
    });

    public static TableKind PriorityClass { get; } = new(Column.Line("Name, Value#, Global-Default?, Age, PreemptionPolicy"), static (o, now) =>
        [o.Name(), Cell.Count(o, "value"), o.Bool("globalDefault"), Cell.Age(o, now), o.Str("preemptionPolicy")]);

    public static TableKind Lease { get; } = new(Column.Line("Name, Holder, Age"), static (o, now) => [o.Name(), o.Obj("spec").Str("holderIdentity"), Cell.Age(o, now)]);

    public static TableKind RuntimeClass { get; } = new(Column.Line("Name, Handler, Age"), static (o, now) => [o.Name(), o.Str("handler"), Cell.Age(o, now)]);

    public static TableKind SigningRequest { get; } = new(Column.Line("Name, Age, SignerName, Requestor, RequestedDuration, Condition"), static (o, now) =>
    {
        var (spec, status) = (o.Obj("spec"), o.Obj("status"));
        var conditions = status.Items("conditions").Select(c => c.Item.Str("type")).ToHashSet(StringComparer.Ordinal);
        var words = new List<string>();
        words.Add(conditions.Contains("Denied") ? "Denied" : conditions.Contains("Approved") ? "Approved" : "Pending");
        if (conditions.Contains("Failed"))
            words.Add("Failed");
        if (status.Str("certificate").Length > 0)
            words.Add("Issued");
        var duration = spec.Num("expirationSeconds") is { } seconds ? HumanDuration.Text(TimeSpan.FromSeconds(seconds)) : Cell.None;
        return [o.Name(), Cell.Age(o, now), Cell.Or(spec.Str("signerName"), Cell.None), spec.Str("username"), duration, string.Join(',', words)];
    });

    public static TableKind VolumeAttachment { get; } = new(Column.Line("Name, Attacher!, PV, Node, Attached?, Age"), static (o, now) =>
    {
        var spec = o.Obj("spec");
        return [o.Name(), spec.Str("attacher"), spec.Obj("source").Str("persistentVolumeName"), spec.Str("nodeName"), o.Obj("status").Bool("attached"), Cell.Age(o, now)];
    });

    public static TableKind CsiDriver { get; } = new(
        Column.Line("Name, AttachRequired?, PodInfoOnMount?, StorageCapacity?, TokenRequests, RequiresRepublish?, Modes, Age"), static (o, now) =>
    {
        var spec = o.Obj("spec");
        var tokens = string.Join(',', spec.Items("tokenRequests").Select(t => t.Item.Str("audience")));
        return
        [
            o.Name(), spec?["attachRequired"] is null || spec.Bool("attachRequired"), spec.Bool("podInfoOnMount"), spec.Bool("storageCapacity"), Cell.Or(tokens, Cell.Unset),
            spec.Bool("requiresRepublish"), Cell.Or(string.Join(',', spec.Strings("volumeLifecycleModes")), Cell.None), Cell.Age(o, now),
        ];
    });

    public static TableKind CsiNode { get; } = new(Column.Line("Name, Drivers#, Age"), static (o, now) => [o.Name(), Cell.Size(o.Obj("spec"), "drivers"), Cell.Age(o, now)]);

    public static TableKind Webhooks { get; } = new(Column.Line("Name, Webhooks#, Age"), static (o, now) => [o.Name(), Cell.Size(o, "webhooks"), Cell.Age(o, now)]);

    public static TableKind AdmissionPolicy { get; } = new(Column.Line("Name, Validations#, ParamKind, Age"), static (o, now) =>
    {
        var param = o.Obj("spec", "paramKind");
        var text = param is null ? Cell.Unset : $"{param.Str("apiVersion")}/{param.Str("kind")}";
        return [o.Name(), Cell.Size(o.Obj("spec"), "validations"), text, Cell.Age(o, now)];
    });

    public static TableKind AdmissionPolicyBinding { get; } = new(Column.Line("Name, PolicyName, ParamRef, Age"), static (o, now) =>
    {
        var param = o.Obj("spec", "paramRef");
        var text = param is null ? Cell.Unset : param.Str("namespace").Length > 0 ? $"{param.Str("namespace")}/{param.Str("name")}" : "*/" + param.Str("name");
        return [o.Name(), o.Obj("spec").Str("policyName"), text, Cell.Age(o, now)];
    });

    public static TableKind FlowSchema { get; } = new(Column.Line("Name, PriorityLevel, MatchingPrecedence#, DistinguisherMethod, Age, MissingPL"), static (o, now) =>
    {
        var spec = o.Obj("spec");
        var missing = Cell.Condition(o.Obj("status"), "Dangling");
        return
        [
            o.Name(), spec.Obj("priorityLevelConfiguration").Str("name"), Cell.Count(spec, "matchingPrecedence"), Cell.Or(spec.Obj("distinguisherMethod").Str("type"), Cell.None),
            Cell.Age(o, now), missing.Length == 0 ? "?" : missing,
        ];
    });

    public static TableKind PriorityLevel { get; } = new(
        Column.Line("Name, Type, NominalConcurrencyShares, Queues, HandSize, QueueLengthLimit, Age"), static (o, now) =>
    {
        var limited = o.Obj("spec", "limited");
        var queuing = limited.Obj("limitResponse", "queuing");
        return
        [
            o.Name(), o.Obj("spec").Str("type"), Number((limited ?? o.Obj("spec", "exempt")).Num("nominalConcurrencyShares")), Number(queuing.Num("queues")), Number(queuing.Num("handSize")),
            Number(queuing.Num("queueLengthLimit")), Cell.Age(o, now),
        ];
    });

    public static TableKind ApiService { get; } = new(Column.Line("Name, Service, Available, Age"), static (o, now) =>
    {
        var service = o.Obj("spec", "service");
        var available = o.Obj("status").Items("conditions").FirstOrDefault(c => c.Item.Str("type") == "Available").Item;
        var state = available is null ? "Unknown" : available.Str("status") == "True" ? "True" : $"{available.Str("status")} ({available.Str("reason")})";
        return [o.Name(), service is null ? "Local" : $"{service.Str("namespace")}/{service.Str("name")}", state, Cell.Age(o, now)];
    });

    public static TableKind ResourceClaim { get; } = new(Column.Line("Name, State, Age"), static (o, now) =>
    {
        var words = new List<string>();
        if (o.Obj("metadata").Has("deletionTimestamp"))
            words.Add("deleted");
        if (o.Obj("status").Has("allocation"))
            words.Add("allocated");
        if (Cell.Size(o.Obj("status"), "reservedFor") > 0)
            words.Add("reserved");
        return [o.Name(), words.Count == 0 ? "pending" : string.Join(',', words), Cell.Age(o, now)];
    });

    public static TableKind ResourceSlice { get; } = new(Column.Line("Name, Node, Driver, Pool, Age"), static (o, now) =>
    {
        var spec = o.Obj("spec");
        return [o.Name(), Cell.Or(spec.Str("nodeName"), Cell.Unset), spec.Str("driver"), spec.Obj("pool").Str("name"), Cell.Age(o, now)];
    });

    /// <summary>Kinds of which only the age is of interest.</summary>
    public static TableKind NameAndAge { get; } = new(Column.Line("Name, Age"), static (o, now) => [o.Name(), Cell.Age(o, now)]);

    private static string Subjects(JsonObject o, string kind) => string.Join(", ", o.Items("subjects").Where(s => s.Item.Str("kind") == kind).Select(s => s.Item.Str("name")));

    private static string Number(long? value) => value?.ToString() ?? Cell.None;
}
