using System.Formats.Tar;
using System.Security.Cryptography;
using System.Text;

namespace Mesh.NodeAgent.Tests.Support;

/// <summary>Makes a one-layer docker-archive out of the machine's static busybox.</summary>
internal static class ImageArchive
{
    private const string Busybox = "/bin/busybox";

    public static void Write(string path, string tag, string configJson)
    {
        var layer = Layer();
        var diff = "sha256:" + Convert.ToHexStringLower(SHA256.HashData(layer));
        var config = Encoding.UTF8.GetBytes(
            $"{{\"architecture\":\"amd64\",\"os\":\"linux\",\"config\":{configJson},\"rootfs\":{{\"type\":\"layers\",\"diff_ids\":[\"{diff}\"]}}}}");
        var manifest = Encoding.UTF8.GetBytes($"[{{\"Config\":\"config.json\",\"RepoTags\":[\"{tag}\"],\"Layers\":[\"layer.tar\"]}}]");
        using var file = File.Create(path);
        using var tar = new TarWriter(file);
        Add(tar, "config.json", config);
        Add(tar, "layer.tar", layer);
        Add(tar, "manifest.json", manifest);
    }

    private static byte[] Layer()
    {
        using var buffer = new MemoryStream();
        using (var tar = new TarWriter(buffer, leaveOpen: true))
        {
            foreach (var directory in new[] { "bin", "etc", "tmp", "proc", "sys", "dev", "root", "var" })
                tar.WriteEntry(new UstarTarEntry(TarEntryType.Directory, directory + "/") { Mode = (UnixFileMode)(directory == "tmp" ? 0x3FF : 0x1ED) });
            Add(tar, "bin/busybox", File.ReadAllBytes(Busybox), (UnixFileMode)0x1ED);
            foreach (var applet in new[] { "sh", "sleep", "cat", "echo", "ls", "id", "stat", "env", "nc", "httpd", "hostname", "test", "kill", "wc", "mount", "touch", "true", "false", "head", "dd", "date", "tee", "readlink", "tar", "stty" })
                tar.WriteEntry(new UstarTarEntry(TarEntryType.SymbolicLink, "bin/" + applet) { LinkName = "busybox" });
            Add(tar, "etc/passwd", "root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/false\n"u8.ToArray());
        }

        return buffer.ToArray();
    }

    private static void Add(TarWriter tar, string name, byte[] content, UnixFileMode mode = (UnixFileMode)0x1A4) =>
        tar.WriteEntry(new UstarTarEntry(TarEntryType.RegularFile, name) { DataStream = new MemoryStream(content), Mode = mode });
}
