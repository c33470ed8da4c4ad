using System.Security.Cryptography.X509Certificates;
using System.Text;
using YamlDotNet.RepresentationModel;

namespace Mesh.Security.Pki;

/// <summary>How to reach a cluster and as whom: the current context of a kubeconfig file.</summary>
/// <param name="Cluster">Name of the cluster.</param>
/// <param name="Server">URL of the API server.</param>
/// <param name="AuthorityPem">Certificates that the server is checked against.</param>
/// <param name="User">Name of the user entry.</param>
/// <param name="CertificatePem">Client certificate, or null.</param>
/// <param name="KeyPem">Its private key, or null.</param>
/// <param name="Token">Bearer token, or null.</param>
public sealed record KubeConfig(
    string Cluster, string Server, string AuthorityPem, string User, string? CertificatePem, string? KeyPem, string? Token = null)
{
    /// <summary>The client certificate with its key, or null when the user has none. The caller disposes it.</summary>
    public X509Certificate2? ClientCertificate() =>
        CertificatePem is null || KeyPem is null ? null : X509Certificate2.CreateFromPem(CertificatePem, KeyPem);

    /// <summary>The file's text, everything embedded.</summary>
    public string ToYaml()
    {
        var context = $"{User}@{Cluster}";
        var text = new StringBuilder()
            .Append("apiVersion: v1\nkind: Config\nclusters:\n- cluster:\n")
            .Append("    certificate-authority-data: ").Append(Base64(AuthorityPem)).Append('\n')
            .Append("    server: ").Append(Server).Append("\n  name: ").Append(Cluster)
            .Append("\ncontexts:\n- context:\n    cluster: ").Append(Cluster).Append("\n    user: ").Append(Quote(User))
            .Append("\n  name: ").Append(Quote(context)).Append("\ncurrent-context: ").Append(Quote(context))
            .Append("\nusers:\n- name: ").Append(Quote(User)).Append("\n  user:\n");
        if (CertificatePem is not null) text.Append("    client-certificate-data: ").Append(Base64(CertificatePem)).Append('\n');
        if (KeyPem is not null) text.Append("    client-key-data: ").Append(Base64(KeyPem)).Append('\n');
        if (Token is not null) text.Append("    token: ").Append(Quote(Token)).Append('\n');
        return text.ToString();
    }

    /// <summary>Reads the current context of a file; throws InvalidDataException that names what is wrong.</summary>
    public static KubeConfig Load(string path)
    {
        var folder = Path.GetDirectoryName(Path.GetFullPath(path))!;
        var stream = new YamlStream();
        using (var reader = File.OpenText(path))
        {
            try
            {
                stream.Load(reader);
            }
            catch (YamlDotNet.Core.YamlException e)
            {
                throw new InvalidDataException($"{path}: {e.Message}", e);
            }
        }

        if (stream.Documents.Count == 0 || stream.Documents[0].RootNode is not YamlMappingNode root) throw new InvalidDataException($"{path}: not a kubeconfig");
        var current = Text(root, "current-context") ?? throw new InvalidDataException($"{path}: no current-context");
        var context = Entry(root, "contexts", current, "context") ?? throw new InvalidDataException($"{path}: no context {current}");
        var clusterName = Text(context, "cluster") ?? "";
        var cluster = Entry(root, "clusters", clusterName, "cluster") ?? throw new InvalidDataException($"{path}: no cluster {clusterName}");
        var userName = Text(context, "user") ?? "";
        var user = Entry(root, "users", userName, "user") ?? new YamlMappingNode();
        return new KubeConfig(
            clusterName,
            Text(cluster, "server") ?? throw new InvalidDataException($"{path}: cluster {clusterName} has no server"),
            Data(cluster, "certificate-authority", folder) ?? "",
            userName,
            Data(user, "client-certificate", folder),
            Data(user, "client-key", folder),
            Text(user, "token") ?? (Text(user, "tokenFile") is { } file ? File.ReadAllText(Path.Combine(folder, file)).Trim() : null));
    }

    private static string Base64(string text) => Convert.ToBase64String(Encoding.UTF8.GetBytes(text));

    // Colons in user names (system:node:a) need quotes in YAML.
    private static string Quote(string text) => text.Contains(':') ? $"\"{text}\"" : text;

    private static string? Text(YamlMappingNode node, string key) =>
        node.Children.TryGetValue(new YamlScalarNode(key), out var value) && value is YamlScalarNode { Value: { Length: > 0 } text } ? text : null;

    private static string? Data(YamlMappingNode node, string key, string folder)
    {
        if (Text(node, key + "-data") is { } data) return Encoding.UTF8.GetString(Convert.FromBase64String(data));
        return Text(node, key) is { } file ? File.ReadAllText(Path.Combine(folder, file)) : null;
    }

    private static YamlMappingNode? Entry(YamlMappingNode root, string list, string name, string content)
    {
        if (!root.Children.TryGetValue(new YamlScalarNode(list), out var node) || node is not YamlSequenceNode entries) return null;
        foreach (var entry in entries.OfType<YamlMappingNode>())
        {
            if (Text(entry, "name") == name && entry.Children.TryGetValue(new YamlScalarNode(content), out var found)) return found as YamlMappingNode;
        }

        return null;
    }
}
