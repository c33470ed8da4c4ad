using System.Text.Json.Nodes;
using Mesh.Api;

namespace Mesh.Gateway.Registry.Kinds.Extension;

/// <summary>FlowSchemas: which requests belong to which priority level.</summary>
internal sealed class FlowSchemaStrategy() : KindStrategy(Of("flowcontrol.apiserver.k8s.io", "v1", "flowschemas"), hasStatus: true, generation: true)
{
    private const int MaxPrecedence = 10_000;
    private static readonly string[] Verbs = ["create", "delete", "deletecollection", "get", "head", "list", "options", "patch", "post", "proxy", "put", "update", "watch"];

    /// <inheritdoc/>
    public override void Default(JsonObject obj) => obj.Ensure("spec").DefaultZero("matchingPrecedence", 1000);

    /// <inheritdoc/>
    public override void Validate(JsonObject obj, List<FieldError> errors)
    {
        var spec = Spec(obj);
        var precedence = spec.Num("matchingPrecedence") ?? 0;
        if (precedence <= 0)
            errors.Add(FieldError.Invalid("spec.matchingPrecedence", precedence, "must be a positive value"));
        if (precedence > MaxPrecedence)
            errors.Add(FieldError.Invalid("spec.matchingPrecedence", precedence, $"must not be greater than {MaxPrecedence}"));
        if (precedence == 1 && obj.Name() != "exempt")
            errors.Add(FieldError.Invalid("spec.matchingPrecedence", precedence, "only the schema named 'exempt' may have matchingPrecedence 1"));
        if (spec.Obj("distinguisherMethod") is { } method)
            errors.Supported("spec.distinguisherMethod.type", method.Str("type"), "ByNamespace", "ByUser");
        var level = spec.Obj("priorityLevelConfiguration").Str("name");
        if (level.Length == 0)
            errors.Add(FieldError.Required("spec.priorityLevelConfiguration.name", "must reference a priority level"));
        else
            errors.Rules("spec.priorityLevelConfiguration.name", level, Names.Dns1123Subdomain(level));
        foreach (var (i, rule) in spec.Items("rules"))
            Rule(errors, new FieldPath("spec.rules").Index(i), rule);
    }

    private static void Rule(List<FieldError> errors, FieldPath at, JsonObject rule)
    {
        if (!rule.Items("subjects").Any())
            errors.Add(FieldError.Required(at.Child("subjects"), "subjects must contain at least one value"));
        foreach (var (i, subject) in rule.Items("subjects"))
            Subject(errors, at.Child("subjects").Index(i), subject);
        if (!rule.Items("resourceRules").Any() && !rule.Items("nonResourceRules").Any())
            errors.Add(FieldError.Required(at, "at least one of resourceRules and nonResourceRules has to be non-empty"));
        foreach (var (i, resource) in rule.Items("resourceRules"))
        {
            var path = at.Child("resourceRules").Index(i);
            VerbList(errors, path.Child("verbs"), resource.Strings("verbs"));
            Wild(errors, path.Child("apiGroups"), resource.Strings("apiGroups"), "api groups", "resource rules must supply at least one api group");
            Wild(errors, path.Child("resources"), resource.Strings("resources"), "resources", "resource rules must supply at least one resource");
            if (resource.Strings("namespaces").Count == 0 && !resource.Bool("clusterScope"))
                errors.Add(FieldError.Required(path.Child("namespaces"), "resource rules that are not cluster scoped must supply at least one namespace"));
            else if (resource.Strings("namespaces") is { Count: > 1 } namespaces && namespaces.Contains("*"))
                errors.Add(FieldError.Invalid(path.Child("namespaces"), namespaces, "if '*' is present, must not specify other namespaces"));
        }

        foreach (var (i, url) in rule.Items("nonResourceRules"))
        {
            var path = at.Child("nonResourceRules").Index(i);
            VerbList(errors, path.Child("verbs"), url.Strings("verbs"));
            Wild(errors, path.Child("nonResourceURLs"), url.Strings("nonResourceURLs"), "non-resource URLs", "nonResourceURLs must contain at least one value");
        }
    }

    private static void VerbList(List<FieldError> errors, FieldPath at, List<string> verbs)
    {
        Wild(errors, at, verbs, "verbs", "verbs must contain at least one value");
        if (!verbs.Contains("*") && verbs.Any(static v => !Verbs.Contains(v)))
            errors.Add(FieldError.NotSupported(at, verbs, Verbs));
    }

    private static void Wild(List<FieldError> errors, FieldPath at, List<string> values, string what, string none)
    {
        if (values.Count == 0)
            errors.Add(FieldError.Required(at, none));
        else if (values.Count > 1 && values.Contains("*"))
            errors.Add(FieldError.Invalid(at, values, $"if '*' is present, must not specify other {what}"));
    }

    private static void Subject(List<FieldError> errors, FieldPath at, JsonObject subject)
    {
        var kinds = new[] { ("User", "user"), ("Group", "group"), ("ServiceAccount", "serviceAccount") };
        var kind = subject.Str("kind");
        var (_, field) = kinds.FirstOrDefault(k => k.Item1 == kind);
        if (field is null)
        {
            errors.Add(FieldError.NotSupported(at.Child("kind"), kind, "Group", "ServiceAccount", "User"));
            return;
        }

        if (subject.Obj(field) is not { } named)
            errors.Add(FieldError.Required(at.Child(field), $"{field} is required when subject kind is '{kind}'"));
        else
        {
            if (named.Str("name").Length == 0)
                errors.Add(FieldError.Required(at.Child(field, "name")));
            if (field == "serviceAccount" && named.Str("namespace").Length == 0)
                errors.Add(FieldError.Required(at.Child(field, "namespace"), "must specify namespace for service account"));
        }

        foreach (var (otherKind, other) in kinds.Where(k => k.Item1 != kind))
        {
            if (subject.Has(other))
                errors.Add(FieldError.Forbidden(at.Child(other), $"{other} is forbidden when subject kind is not '{otherKind}'"));
        }
    }
}

/// <summary>PriorityLevelConfigurations: how many requests of a level run at once and what happens to the others.</summary>
internal sealed class PriorityLevelStrategy() : KindStrategy(Of("flowcontrol.apiserver.k8s.io", "v1", "prioritylevelconfigurations"), hasStatus: true, generation: true)
{
    private const int MaxQueues = 10_000_000;

    /// <inheritdoc/>
    public override void Default(JsonObject obj)
    {
        var spec = obj.Ensure("spec");
        if (spec.Obj("exempt") is { } exempt)
        {
            exempt.Default("nominalConcurrencyShares", 0);
            exempt.Default("lendablePercent", 0);
        }

        if (spec.Obj("limited") is not { } limited)
            return;
        limited.Default("nominalConcurrencyShares", 30);
        limited.Default("lendablePercent", 0);
        if (limited.Obj("limitResponse", "queuing") is not { } queuing)
            return;
        queuing.DefaultZero("queues", 64);
        queuing.DefaultZero("handSize", 8);
        queuing.DefaultZero("queueLengthLimit", 50);
    }

    /// <inheritdoc/>
    public override void Validate(JsonObject obj, List<FieldError> errors)
    {
        var spec = Spec(obj);
        var type = spec.Str("type");
        if ((obj.Name() == "exempt") != (type == "Exempt"))
            errors.Add(FieldError.Invalid("spec.type", type, "type must be 'Exempt' if and only if name is 'exempt'"));
        switch (type)
        {
            case "Exempt":
                if (spec.Has("limited"))
                    errors.Add(FieldError.Forbidden("spec.limited", "must be nil if the type is not Limited"));
                break;
            case "Limited" when spec.Obj("limited") is { } limited:
                Limited(errors, "spec.limited", limited);
                break;
            case "Limited":
                errors.Add(FieldError.Required("spec.limited", "must not be empty when type is Limited"));
                break;
            default:
                errors.Add(FieldError.NotSupported("spec.type", type, "Exempt", "Limited"));
                break;
        }
    }

    private static void Limited(List<FieldError> errors, FieldPath at, JsonObject limited)
    {
        if (limited.Num("nominalConcurrencyShares") < 0)
            errors.Add(FieldError.Invalid(at.Child("nominalConcurrencyShares"), limited.Num("nominalConcurrencyShares"), "must be a non-negative integer"));
        if (limited.Num("lendablePercent") is { } percent and (< 0 or > 100))
            errors.Add(FieldError.Invalid(at.Child("lendablePercent"), percent, "must be between 0 and 100, inclusive"));
        var response = limited.Obj("limitResponse");
        var path = at.Child("limitResponse", "queuing");
        switch (response.Str("type"))
        {
            case "Reject":
                if (response.Has("queuing"))
                    errors.Add(FieldError.Forbidden(path, "must be nil if limited.limitResponse.type is not Limited"));
                break;
            case "Queue" when response.Obj("queuing") is { } queuing:
                Queuing(errors, path, queuing);
                break;
            case "Queue":
                errors.Add(FieldError.Required(path, "must not be empty if limited.limitResponse.type is Limited"));
                break;
            default:
                errors.Add(FieldError.NotSupported(at.Child("limitResponse", "type"), response.Str("type"), "Queue", "Reject"));
                break;
        }
    }

    private static void Queuing(List<FieldError> errors, FieldPath at, JsonObject queuing)
    {
        var (length, queues, hand) = (queuing.Num("queueLengthLimit") ?? 0, queuing.Num("queues") ?? 0, queuing.Num("handSize") ?? 0);
        if (length <= 0)
            errors.Add(FieldError.Invalid(at.Child("queueLengthLimit"), length, "must be positive"));
        if (queues <= 0)
            errors.Add(FieldError.Invalid(at.Child("queues"), queues, "must be positive"));
        else if (queues > MaxQueues)
            errors.Add(FieldError.Invalid(at.Child("queues"), queues, $"must not be greater than {MaxQueues}"));
        if (hand <= 0)
            errors.Add(FieldError.Invalid(at.Child("handSize"), hand, "must be positive"));
        else if (hand > queues)
            errors.Add(FieldError.Invalid(at.Child("handSize"), hand, $"should not be greater than queues ({queues})"));
    }
}
