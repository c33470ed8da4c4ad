using System.Text.Json.Nodes;
using Mesh.Api;

namespace Mesh.Gateway.Registry;

/// <summary>
/// Rules that came, or came to be checked, after objects were stored: what breaks one is refused in a new object and in a change that brings it in,
/// but an object that broke it before may be changed in other ways. A check names the rule at its error (<see cref="FieldError.Rule"/>); of an update,
/// errors of named rules are dropped when the stored object breaks that rule too. Nothing is looked at twice unless there is such an error.
/// </summary>
internal static class Ratchet
{
    /// <summary>A value in a label selector's expression is no label value.</summary>
    public const string SelectorValue = "selector value";

    /// <summary>The same in selectors that follow another one of the object: a NetworkPolicy's peers, the selector of a DaemonSet.</summary>
    public const string FollowingSelectorValue = "following selector value";

    /// <summary>The selector of a topology spread constraint is broken.</summary>
    public const string SpreadSelector = "spread selector";

    /// <summary>A required node affinity (of pods or volumes) asks for what is no label value.</summary>
    public const string NodeAffinityValue = "node affinity value";

    /// <summary>The annotation for what deleting a pod costs.</summary>
    public const string DeletionCost = "deletion cost";

    /// <summary>An amount of huge pages that is no multiple of the page.</summary>
    public const string HugePageMultiple = "huge page multiple";

    /// <summary>The path of a projected token leaves its volume.</summary>
    public const string TokenPath = "token path";

    /// <summary>A sysctl of a namespace that the pod shares with its host.</summary>
    public const string HostSysctl = "host sysctl";

    /// <summary>Block devices in a pod with a user namespace.</summary>
    public const string UserNamespaceDevices = "user namespace devices";

    /// <summary>An IP address or CIDR in another than its usual spelling; forgiven for that very value.</summary>
    public const string Address = "address";

    /// <summary>The API group of a claim's source.</summary>
    public const string SourceGroup = "source group";

    /// <summary>The secret of an Ingress' TLS host.</summary>
    public const string SecretName = "secret name";

    /// <summary>What an Ingress does with a wildcard host.</summary>
    public const string WildcardRule = "wildcard rule";

    /// <summary>Side effects of a webhook that must have none.</summary>
    public const string SideEffects = "side effects";

    /// <summary>No version of AdmissionReview that is spoken here.</summary>
    public const string ReviewVersions = "review versions";

    /// <summary>Two webhooks of one name.</summary>
    public const string WebhookNames = "webhook names";

    /// <summary>An autoscaler that goes down to nothing.</summary>
    public const string ScaleToZero = "scale to zero";

    /// <summary>The group of an object whose metrics are looked at.</summary>
    public const string MetricGroup = "metric group";

    /// <summary>The group of what is scaled, <see cref="About"/> its kind; forgiven for that very apiVersion.</summary>
    public const string TargetGroup = "target group";

    /// <summary>A job of before its labels had prefixes lacks one of them.</summary>
    public const string LabelMissing = "label missing";

    /// <summary>A job's prefixed label says something else.</summary>
    public const string LabelOther = "label other";

    private const char SubjectMark = ':';

    // What forgives a rule, where that is more or else than that the stored object breaks it anywhere.
    private static readonly Dictionary<string, Pardon> Pardons = new(StringComparer.Ordinal)
    {
        [FollowingSelectorValue] = new(By: SelectorValue),
        [LabelOther] = new(By: LabelMissing),
        [Address] = new(SameValueOnly: true),
        [TargetGroup] = new(SameValueOnly: true),
    };

    /// <summary>A rule about one thing: broken by the stored object about another, it is not forgiven.</summary>
    public static string About(string rule, string subject) => rule + SubjectMark + subject;

    /// <summary>Names the rule of the errors from a place on; null takes their names away.</summary>
    public static void Name(this List<FieldError> errors, int from, string? rule)
    {
        for (var i = from; i < errors.Count; i++)
            errors[i] = errors[i] with { Rule = rule };
    }

    /// <summary>Drops the errors that the stored object may go on having.</summary>
    public static void Forgive(List<FieldError> errors, IResourceStrategy strategy, JsonObject old)
    {
        if (!errors.Exists(static e => e.Rule is not null))
            return;
        var before = new List<FieldError>();
        strategy.Validate(old, before);
        errors.RemoveAll(error => error.Rule is { } rule && IsForgiven(error, rule, before));
    }

    private static bool IsForgiven(FieldError error, string rule, List<FieldError> before)
    {
        var pardon = Pardons.GetValueOrDefault(rule.Split(SubjectMark)[0]) ?? new Pardon();
        var by = pardon.By ?? rule;
        return before.Exists(was => was.Rule == by && (!pardon.SameValueOnly || Equals(was.BadValue, error.BadValue)));
    }

    /// <summary>How a rule is forgiven.</summary>
    /// <param name="By">The rule that the stored object must break; null: the same one.</param>
    /// <param name="SameValueOnly">Whether it must break it with that very value.</param>
    private sealed record Pardon(string? By = null, bool SameValueOnly = false);
}
