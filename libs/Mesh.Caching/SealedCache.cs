using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;

namespace Mesh.Caching;

/// <summary>
/// Lets a cache be kept by somebody who is not trusted: keys are hashed, values encrypted and authenticated together with their key and their end of
/// life (AES-256-GCM). Who can write to the cache can make it forget, and nothing else; what does not open is a miss.
/// </summary>
/// <remarks>Processes share entries when they hold the same secret.</remarks>
public sealed class SealedCache : ISharedCache, IDisposable
{
    private const int NonceSize = 12;
    private const int TagSize = 16;
    private const int TimeSize = 8;
    private readonly ISharedCache kept;
    private readonly TimeProvider time;
    private readonly byte[] naming;
    private readonly AesGcm cipher;
    private readonly Lock gate = new();

    /// <summary>Seals what goes into a cache.</summary>
    /// <param name="kept">Where the sealed entries are.</param>
    /// <param name="secret">At least 16 bytes that only the sharing processes know.</param>
    /// <param name="time">Wall clock; the ends of life are compared by it across machines.</param>
    public SealedCache(ISharedCache kept, ReadOnlySpan<byte> secret, TimeProvider time)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(secret.Length, 16);
        this.kept = kept;
        this.time = time;
        naming = HKDF.DeriveKey(HashAlgorithmName.SHA256, secret.ToArray(), 32, null, "mesh cache names"u8.ToArray());
        cipher = new AesGcm(HKDF.DeriveKey(HashAlgorithmName.SHA256, secret.ToArray(), 32, null, "mesh cache values"u8.ToArray()), TagSize);
    }

    /// <inheritdoc/>
    public async ValueTask<byte[]?> GetAsync(string key, CancellationToken ct)
    {
        var name = NameOf(key);
        return await kept.GetAsync(name, ct) is { } box ? Open(name, box) : null;
    }

    /// <inheritdoc/>
    public void Set(string key, byte[] value, TimeSpan lifetime)
    {
        ArgumentNullException.ThrowIfNull(value);
        var name = NameOf(key);
        var plain = new byte[TimeSize + value.Length];
        BinaryPrimitives.WriteInt64BigEndian(plain, (time.GetUtcNow() + lifetime).ToUnixTimeMilliseconds());
        value.CopyTo(plain, TimeSize);
        var box = new byte[NonceSize + plain.Length + TagSize];
        RandomNumberGenerator.Fill(box.AsSpan(0, NonceSize));
        lock (gate) cipher.Encrypt(box.AsSpan(0, NonceSize), plain, box.AsSpan(NonceSize, plain.Length), box.AsSpan(NonceSize + plain.Length), Encoding.ASCII.GetBytes(name));
        kept.Set(name, box, lifetime);
    }

    /// <inheritdoc/>
    public void Dispose() => cipher.Dispose();

    private byte[]? Open(string name, byte[] box)
    {
        var length = box.Length - NonceSize - TagSize;
        if (length < TimeSize) return null;
        var plain = new byte[length];
        try
        {
            lock (gate) cipher.Decrypt(box.AsSpan(0, NonceSize), box.AsSpan(NonceSize, length), box.AsSpan(NonceSize + length), plain, Encoding.ASCII.GetBytes(name));
        }
        catch (CryptographicException)
        {
            return null;
        }

        // The keeper may hold on to an entry for longer than it was told.
        return time.GetUtcNow().ToUnixTimeMilliseconds() < BinaryPrimitives.ReadInt64BigEndian(plain) ? plain[TimeSize..] : null;
    }

    private string NameOf(string key) => "mesh:" + Convert.ToHexStringLower(HMACSHA256.HashData(naming, Encoding.UTF8.GetBytes(key)));
}
