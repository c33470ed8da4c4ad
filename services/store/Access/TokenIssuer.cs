using System.Collections.Concurrent;
using System.Security.Cryptography;

namespace Mesh.Store.Access;

/// <summary>Tokens of users who gave their password: in memory, five minutes from their last use, gone with the process.</summary>
internal sealed class TokenIssuer(TimeProvider time)
{
    private static readonly TimeSpan s_life = TimeSpan.FromMinutes(5);
    private readonly ConcurrentDictionary<string, (string User, long Used)> _tokens = new();

    public string Issue(string user)
    {
        foreach (var (old, (_, used)) in _tokens)
        {
            if (time.GetElapsedTime(used) > s_life) _tokens.TryRemove(old, out _);
        }

        var token = Convert.ToHexString(RandomNumberGenerator.GetBytes(16));
        _tokens[token] = (user, time.GetTimestamp());
        return token;
    }

    /// <summary>The token's user, or null.</summary>
    public string? Find(string token)
    {
        if (!_tokens.TryGetValue(token, out var entry)) return null;
        if (time.GetElapsedTime(entry.Used) > s_life)
        {
            _tokens.TryRemove(token, out _);
            return null;
        }

        _tokens[token] = (entry.User, time.GetTimestamp());
        return entry.User;
    }

    /// <summary>Ends a user's tokens: the password or the user changed.</summary>
    public void Forget(string user)
    {
        foreach (var (token, entry) in _tokens)
        {
            if (entry.User == user) _tokens.TryRemove(token, out _);
        }
    }
}
