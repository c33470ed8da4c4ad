using System.ComponentModel;
using System.Globalization;
using System.Reflection;
using System.Text;

namespace Mesh.Hosting;

/// <summary>The settings of one service (or of the process), bound to options classes by property name.</summary>
public sealed class SettingsSection
{
    private readonly SettingsSource _source;
    private readonly bool _alsoRoot;
    private readonly List<SettingHelp> _known = [];

    internal SettingsSection(SettingsSource source, string name, bool alsoRoot)
    {
        _source = source;
        _alsoRoot = alsoRoot;
        Name = name;
    }

    /// <summary>Name of the section: the service's, or empty.</summary>
    public string Name { get; }

    internal IReadOnlyList<SettingHelp> Known => _known;

    /// <summary>
    /// Makes options and sets every property that a flag, variable or file names. <c>DataDir</c> is <c>--data-dir</c>
    /// (<c>--store.data-dir</c> where several services share a process), <c>MESH_STORE_DATA_DIR</c>, and <c>dataDir</c> in the file.
    /// Types: text, numbers, bool, enums, <see cref="TimeSpan"/> (<c>1m30s</c>), lists (commas or repeated flags), string dictionaries
    /// (<c>k=v,k=v</c>) and nested options classes (names joined: <c>Tls.CertFile</c> is <c>--tls-cert-file</c>).
    /// </summary>
    /// <exception cref="SettingsException">A value does not fit its property.</exception>
    public T Bind<T>()
        where T : class, new()
    {
        var options = new T();
        BindObject(options, "");
        return options;
    }

    /// <summary>The raw value of one setting, or null.</summary>
    public string? Get(string key, string description = "")
    {
        _known.Add(new SettingHelp(key, description, ""));
        return _source.Find(Name, key, _alsoRoot)?[^1];
    }

    private void BindObject(object options, string prefix)
    {
        foreach (var property in options.GetType().GetProperties(BindingFlags.Public | BindingFlags.Instance))
        {
            var name = prefix + Kebab(property.Name);
            var type = Nullable.GetUnderlyingType(property.PropertyType) ?? property.PropertyType;
            if (IsNested(type))
            {
                var nested = property.GetValue(options);
                if (nested is null && property.SetMethod is not null) property.SetValue(options, nested = Activator.CreateInstance(type));
                if (nested is not null) BindObject(nested, name + "-");
                continue;
            }
            if (property.SetMethod is not { IsPublic: true } || !SettingValue.IsSupported(type)) continue;
            _known.Add(new SettingHelp(name, property.GetCustomAttribute<DescriptionAttribute>()?.Description ?? "", SettingValue.Print(property.GetValue(options))));
            if (_source.Find(Name, name, _alsoRoot) is not { } values) continue;
            try
            {
                property.SetValue(options, SettingValue.Parse(type, values));
            }
            catch (FormatException e)
            {
                throw new SettingsException($"{(Name.Length > 0 ? Name + "." : "")}{name}: {e.Message}");
            }
        }
    }

    private static bool IsNested(Type type) =>
        type.IsClass && type != typeof(string) && !type.IsArray && !type.IsGenericType && type != typeof(Uri) && type.GetConstructor([]) is not null
        && !typeof(Delegate).IsAssignableFrom(type) && type.Namespace?.StartsWith("System", StringComparison.Ordinal) != true;

    /// <summary>PascalCase to dashes; runs of capitals stay together (<c>ClusterIPRange</c> is <c>cluster-ip-range</c>).</summary>
    internal static string Kebab(string name)
    {
        var text = new StringBuilder(name.Length + 4);
        for (var i = 0; i < name.Length; i++)
        {
            if (i > 0 && char.IsUpper(name[i]) && (!char.IsUpper(name[i - 1]) || (i + 1 < name.Length && char.IsLower(name[i + 1])))) text.Append('-');
            text.Append(char.ToLower(name[i], CultureInfo.InvariantCulture));
        }
        return text.ToString();
    }
}

/// <summary>One line of <c>--help</c>.</summary>
internal sealed record SettingHelp(string Name, string Description, string Default);
