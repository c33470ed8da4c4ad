using System.Security.Cryptography;

namespace Mesh.Gateway.Registry;

/// <summary>Makes names up for objects that say only how theirs is to begin.</summary>
internal interface INameGenerator
{
    /// <summary>A name that begins with a metadata.generateName.</summary>
    string Generate(string prefix);
}

/// <summary>The prefix, cut so that the name is a DNS label, and five random letters that make no words.</summary>
internal sealed class RandomNames : INameGenerator
{
    private const int MaxPrefix = 58;
    private const int RandomLength = 5;
    private const string Letters = "bcdfghjklmnpqrstvwxz2456789";

    /// <inheritdoc/>
    public string Generate(string prefix) =>
        string.Concat(prefix.AsSpan(0, Math.Min(prefix.Length, MaxPrefix)), RandomNumberGenerator.GetString(Letters, RandomLength));
}
