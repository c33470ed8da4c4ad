using System.Globalization;
using YamlDotNet.RepresentationModel;

namespace Mesh.Hosting;

/// <summary>
/// Raw settings of a process before anything is bound. A setting has a section (the service's name, or empty for the process) and a key;
/// keys are compared without dashes, underscores, dots and case, so <c>data-dir</c>, <c>DATA_DIR</c> and <c>dataDir</c> are one.
/// Precedence: flags, environment, file, defaults set by the program.
/// </summary>
internal sealed class SettingsSource
{
    private readonly List<Flag> _flags = [];
    private readonly Dictionary<string, string> _environment = new(StringComparer.Ordinal);
    // Joined names, as in the environment: the file may be read before it is known which services there are.
    private readonly Dictionary<string, List<string>> _file = new(StringComparer.Ordinal);
    private readonly Dictionary<(string Section, string Key), List<string>> _defaults = [];
    private readonly HashSet<(string Section, string Key)> _asked = [];

    public bool HelpRequested { get; private set; }

    public static string Normalize(string name) =>
        string.Create(CultureInfo.InvariantCulture, $"{name.Replace("-", "", StringComparison.Ordinal).Replace("_", "", StringComparison.Ordinal).Replace(".", "", StringComparison.Ordinal)}").ToLowerInvariant();

    public void AddFlags(IReadOnlyList<string> args)
    {
        for (var i = 0; i < args.Count; i++)
        {
            var arg = args[i];
            if (arg is "-h" or "--help")
            {
                HelpRequested = true;
                continue;
            }
            if (!arg.StartsWith("--", StringComparison.Ordinal) || arg.Length == 2) throw new SettingsException($"unexpected argument \"{arg}\"");
            var equals = arg.IndexOf('=');
            var name = equals < 0 ? arg[2..] : arg[2..equals];
            string? value = null;
            if (equals >= 0) value = arg[(equals + 1)..];
            else if (i + 1 < args.Count && !args[i + 1].StartsWith("--", StringComparison.Ordinal)) value = args[++i];
            var dot = name.IndexOf('.');
            var (section, key) = dot < 0 ? ("", name) : (Normalize(name[..dot]), name[(dot + 1)..]);
            _flags.Add(new Flag(arg, section, Normalize(key), value ?? "true"));
        }
    }

    public void AddEnvironment(IEnumerable<KeyValuePair<string, string>> variables)
    {
        foreach (var (name, value) in variables)
            if (name.StartsWith("MESH_", StringComparison.Ordinal)) _environment[Normalize(name[5..])] = value;
    }

    /// <summary>Reads a YAML (or JSON) document: maps nest into keys, so that a top-level map with the service's name is its section.</summary>
    public void AddFile(TextReader reader, string path)
    {
        var yaml = new YamlStream();
        try
        {
            yaml.Load(reader);
        }
        catch (YamlDotNet.Core.YamlException e)
        {
            throw new SettingsException($"{path}: line {e.Start.Line}: {e.Message}");
        }
        if (yaml.Documents.Count == 0 || yaml.Documents[0].RootNode is YamlScalarNode { Value: null or "" }) return;
        if (yaml.Documents[0].RootNode is not YamlMappingNode root) throw new SettingsException($"{path}: a map of settings is expected");
        ReadMap(root, "", path);
    }

    public void SetDefault(string section, string key, string value) => _defaults[(Normalize(section), Normalize(key))] = [value];

    /// <summary>The values of a setting from the strongest source that has it; null when none does.</summary>
    public IReadOnlyList<string>? Find(string section, string key, bool alsoRoot)
    {
        (section, key) = (Normalize(section), Normalize(key));
        _asked.Add((section, key));
        if (alsoRoot) _asked.Add(("", key));
        var flags = _flags.Where(f => f.Key == key && (f.Section == section || (alsoRoot && f.Section.Length == 0))).ToList();
        if (flags.Count > 0)
        {
            foreach (var flag in flags) flag.Used = true;
            return [.. flags.Select(f => f.Value)];
        }
        if (_environment.TryGetValue(section + key, out var variable)) return [variable];
        if (_file.TryGetValue(section + key, out var values) || (alsoRoot && _file.TryGetValue(key, out values))) return values;
        return _defaults.TryGetValue((section, key), out values) || (alsoRoot && _defaults.TryGetValue(("", key), out values)) ? values : null;
    }

    /// <summary>Flags nothing has asked for.</summary>
    public IEnumerable<string> UnusedFlags() => _flags.Where(f => !f.Used).Select(f => f.Written.Split('=')[0]);

    /// <summary>Names in the file that no setting of this process has; a file may be shared with processes that have them.</summary>
    public IEnumerable<string> UnusedFileNames()
    {
        var asked = _asked.Select(a => a.Section + a.Key).ToHashSet(StringComparer.Ordinal);
        // A map stands for its parts and a dictionary's parts for the whole.
        return _file.Keys.Where(name => !asked.Any(a => a.StartsWith(name, StringComparison.Ordinal) || name.StartsWith(a, StringComparison.Ordinal)));
    }

    /// <summary>Defaults set by the program for settings that do not exist: a mistake in the program.</summary>
    public IEnumerable<string> UnknownDefaults() => _defaults.Keys.Where(d => !_asked.Contains(d)).Select(d => d.Section.Length > 0 ? $"{d.Section}.{d.Key}" : d.Key);

    private void ReadMap(YamlMappingNode map, string prefix, string path)
    {
        foreach (var (key, node) in map.Children)
        {
            if (key is not YamlScalarNode { Value: { } name }) throw new SettingsException($"{path}: line {key.Start.Line}: a name is expected");
            ReadNode(node, prefix + Normalize(name), path);
        }
    }

    private void ReadNode(YamlNode node, string key, string path)
    {
        switch (node)
        {
            case YamlScalarNode scalar:
                _file[key] = [scalar.Value ?? ""];
                break;
            case YamlSequenceNode list when list.Children.All(c => c is YamlScalarNode):
                _file[key] = [.. list.Children.Select(c => ((YamlScalarNode)c).Value ?? "")];
                break;
            case YamlMappingNode map:
                // Both readings of a map are kept: nested options by their joined names, and a dictionary as key=value items.
                if (map.Children.All(c => c is { Key: YamlScalarNode, Value: YamlScalarNode }))
                    _file[key] = [.. map.Children.Select(c => $"{((YamlScalarNode)c.Key).Value}={((YamlScalarNode)c.Value).Value}")];
                ReadMap(map, key, path);
                break;
            default:
                throw new SettingsException($"{path}: line {node.Start.Line}: a list holds plain values");
        }
    }

    private sealed record Flag(string Written, string Section, string Key, string Value)
    {
        public bool Used { get; set; }
    }
}
