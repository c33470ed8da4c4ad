using System.Security.Cryptography;

namespace Mesh.Store.Access;

/// <summary>Password hashes: PBKDF2 with SHA-256, salt and hash in hexadecimal.</summary>
internal static class Passwords
{
    private const int Iterations = 100_000;

    public static string Hash(string password)
    {
        var salt = RandomNumberGenerator.GetBytes(16);
        return "pbkdf2$" + Convert.ToHexString(salt) + "$" + Convert.ToHexString(Derive(password, salt));
    }

    public static bool Matches(string password, string? hash)
    {
        var parts = (hash ?? "").Split('$');
        return parts is ["pbkdf2", var salt, var key] && CryptographicOperations.FixedTimeEquals(Derive(password, Convert.FromHexString(salt)), Convert.FromHexString(key));
    }

    private static byte[] Derive(string password, byte[] salt) => Rfc2898DeriveBytes.Pbkdf2(password, salt, Iterations, HashAlgorithmName.SHA256, 32);
}
