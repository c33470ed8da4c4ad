using System.Reflection;
using System.Text.Json.Nodes;
using Mesh.Security;

namespace Mesh.Gateway.Authorization;

/// <summary>Reads bootstrap-policy.txt: the default roles and bindings, as the objects they are.</summary>
internal static class BootstrapPolicy
{
    private const string Api = RbacResources.Group + "/v1";

    /// <summary>The default objects; new ones at each call.</summary>
    public static IReadOnlyList<JsonObject> Load()
    {
        using var stream = Assembly.GetExecutingAssembly().GetManifestResourceStream("Mesh.Gateway.bootstrap-policy.txt")
            ?? throw new InvalidOperationException("bootstrap-policy.txt is not embedded");
        using var reader = new StreamReader(stream);
        return Parse(reader.ReadToEnd());
    }

    /// <summary>Parses the notation that the file's head describes; throws InvalidDataException naming the line.</summary>
    internal static IReadOnlyList<JsonObject> Parse(string text)
    {
        var objects = new List<JsonObject>();
        var lists = new Dictionary<string, string>();
        JsonObject? role = null;
        var number = 0;
        foreach (var raw in text.Split('\n'))
        {
            number++;
            var words = raw.Split(' ', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
            if (words.Length == 0 || words[0].StartsWith('#')) continue;
            if (raw[0] == ' ')
            {
                Rule(role ?? throw new InvalidDataException($"line {number}: a rule without a role"), words, lists, number);
                continue;
            }

            role = null;
            switch (words)
            {
                case ["let", var name, var list]: lists[name] = list; break;
                case ["clusterrole", var name, .. var labels]: objects.Add(role = Role("ClusterRole", null, name, labels)); break;
                case ["role", var ns, var name]: objects.Add(role = Role("Role", ns, name, [])); break;
                case ["controller", var name]:
                    objects.Add(role = Role("ClusterRole", null, $"system:controller:{name}", []));
                    objects.Add(Binding(null, $"system:controller:{name}", $"system:controller:{name}", [$"sa:kube-system/{name}", "user:system:kube-controller-manager"]));
                    break;
                case ["clusterbinding", var name, var target, .. var subjects]: objects.Add(Binding(null, name, target, subjects)); break;
                case ["binding", var ns, var name, var target, .. var subjects]: objects.Add(Binding(ns, name, target, subjects)); break;
                default: throw new InvalidDataException($"line {number}: {raw}");
            }
        }

        return objects;
    }

    private static JsonObject Role(string kind, string? ns, string name, ReadOnlySpan<string> labels)
    {
        var role = new JsonObject { ["apiVersion"] = Api, ["kind"] = kind, ["metadata"] = Metadata(ns, name), ["rules"] = new JsonArray() };
        foreach (var label in labels) role["metadata"]!["labels"]![label[..label.IndexOf('=', StringComparison.Ordinal)]] = label[(label.IndexOf('=', StringComparison.Ordinal) + 1)..];
        return role;
    }

    private static void Rule(JsonObject role, string[] words, Dictionary<string, string> lists, int number)
    {
        var rules = role["rules"]!.AsArray();
        switch (words)
        {
            case ["aggregate", var label]:
                var cut = label.IndexOf('=', StringComparison.Ordinal);
                var selector = new JsonObject { ["matchLabels"] = new JsonObject { [label[..cut]] = label[(cut + 1)..] } };
                role["aggregationRule"] = new JsonObject { ["clusterRoleSelectors"] = new JsonArray(selector) };
                break;
            case ["path", var verbs, var paths]:
                rules.Add(new JsonObject { ["nonResourceURLs"] = List(paths), ["verbs"] = List(verbs) });
                break;
            case [var verbs, var group, var resources]:
                rules.Add(new JsonObject { ["apiGroups"] = Groups(group), ["resources"] = List(resources), ["verbs"] = List(verbs) });
                break;
            case [var verbs, var group, var resources, var names] when names.StartsWith("names=", StringComparison.Ordinal):
                rules.Add(new JsonObject
                {
                    ["apiGroups"] = Groups(group),
                    ["resourceNames"] = List(names[6..]),
                    ["resources"] = List(resources),
                    ["verbs"] = List(verbs),
                });
                break;
            default: throw new InvalidDataException($"line {number}: not a rule");
        }

        JsonArray List(string word) => JsonRead.Array((lists.TryGetValue(word, out var list) ? list : word).Split(','));

        static JsonArray Groups(string word) => JsonRead.Array(word.Split(',').Select(g => g == "core" ? "" : g));
    }

    private static JsonObject Binding(string? ns, string name, string target, IReadOnlyList<string> subjects)
    {
        var list = new JsonArray();
        foreach (var subject in subjects) list.Add(Subject(subject));
        var binding = new JsonObject
        {
            ["apiVersion"] = Api,
            ["kind"] = ns is null ? "ClusterRoleBinding" : "RoleBinding",
            ["metadata"] = Metadata(ns, name),
            ["roleRef"] = new JsonObject { ["apiGroup"] = RbacResources.Group, ["kind"] = ns is null ? "ClusterRole" : "Role", ["name"] = target },
        };
        if (list.Count > 0) binding["subjects"] = list;
        return binding;
    }

    private static JsonObject Subject(string text)
    {
        var colon = text.IndexOf(':', StringComparison.Ordinal);
        var name = text[(colon + 1)..];
        return text[..colon] switch
        {
            "user" => new JsonObject { ["apiGroup"] = RbacResources.Group, ["kind"] = "User", ["name"] = name },
            "group" => new JsonObject { ["apiGroup"] = RbacResources.Group, ["kind"] = "Group", ["name"] = name },
            "sa" => new JsonObject
            {
                ["kind"] = "ServiceAccount",
                ["name"] = name[(name.IndexOf('/', StringComparison.Ordinal) + 1)..],
                ["namespace"] = name[..name.IndexOf('/', StringComparison.Ordinal)],
            },
            _ => throw new InvalidDataException($"subject {text}"),
        };
    }

    private static JsonObject Metadata(string? ns, string name)
    {
        var metadata = new JsonObject
        {
            ["annotations"] = new JsonObject { [BootstrapReconciler.AutoUpdate] = "true" },
            ["labels"] = new JsonObject { ["kubernetes.io/bootstrapping"] = "rbac-defaults" },
            ["name"] = name,
        };
        if (ns is not null) metadata["namespace"] = ns;
        return metadata;
    }
}
