using System.Text;

namespace Mesh.Hosting;

/// <summary>The text of <c>--help</c>.</summary>
internal static class HelpText
{
    public static string Write(SettingsSection root, IReadOnlyList<SettingsSection> services, bool single)
    {
        var text = new StringBuilder("Flags (each also as an environment variable MESH_[SERVICE_]NAME, and in the file given by --config):\n");
        foreach (var section in services)
        {
            text.Append('\n').Append(section.Name).Append(":\n");
            foreach (var setting in section.Known) Line(text, single ? "" : section.Name + ".", setting);
        }
        text.Append("\nprocess:\n");
        foreach (var setting in root.Known) Line(text, "", setting);
        return text.ToString();
    }

    private static void Line(StringBuilder text, string prefix, SettingHelp setting)
    {
        text.Append("  ").Append(("--" + prefix + setting.Name).PadRight(36)).Append(' ').Append(setting.Description);
        if (setting.Default.Length > 0) text.Append(" (default ").Append(setting.Default).Append(')');
        text.Append('\n');
    }
}
