using System.Security.Cryptography.X509Certificates;
using System.Text;

namespace Mesh.Security.Pki;

/// <summary>Writes and reads PEM files. Private ones are for their owner only.</summary>
public static class PemFiles
{
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;
    private const UnixFileMode Readable = OwnerOnly | UnixFileMode.GroupRead | UnixFileMode.OtherRead;

    /// <summary>Loads a certificate with its private key; throws on a missing file or a key that does not fit.</summary>
    public static X509Certificate2 Load(CertificatePath path) => X509Certificate2.CreateFromPemFile(path.Certificate, path.Key);

    /// <summary>Loads a certificate without key.</summary>
    public static X509Certificate2 LoadCertificate(string path) => X509CertificateLoader.LoadCertificateFromFile(path);

    /// <summary>Writes a file so that a reader sees all of the old or all of the new; mode 0600 when secret, else 0644.</summary>
    public static void Write(string path, string text, bool secret)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(Path.GetFullPath(path))!);
        var temporary = $"{path}.{Environment.ProcessId}.tmp";
        File.Delete(temporary);
        var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write };
        if (!OperatingSystem.IsWindows()) options.UnixCreateMode = secret ? OwnerOnly : Readable;
        using (var file = new FileStream(temporary, options))
        {
            file.Write(Encoding.UTF8.GetBytes(text));
        }

        File.Move(temporary, path, overwrite: true);
    }

    /// <summary>The private key of a certificate, as PKCS 8 PEM.</summary>
    internal static string KeyPem(X509Certificate2 certificate)
    {
        using var ec = certificate.GetECDsaPrivateKey();
        if (ec is not null) return ec.ExportPkcs8PrivateKeyPem() + "\n";
        using var rsa = certificate.GetRSAPrivateKey() ?? throw new InvalidOperationException("certificate without a private key");
        return rsa.ExportPkcs8PrivateKeyPem() + "\n";
    }

    /// <summary>Writes a certificate and its key.</summary>
    internal static void Save(CertificatePath path, X509Certificate2 certificate)
    {
        Write(path.Key, KeyPem(certificate), secret: true);
        Write(path.Certificate, certificate.ExportCertificatePem() + "\n", secret: false);
    }
}
