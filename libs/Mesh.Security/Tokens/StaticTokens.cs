using System.Security.Cryptography;
using System.Text;

namespace Mesh.Security.Tokens;

/// <summary>
/// Tokens known beforehand: a token file (<c>token,user,uid,"group1,group2"</c> a line) and those that services in this process carry.
/// Looked up by hash, so that timing tells nothing about a token.
/// </summary>
public sealed class StaticTokens
{
    private readonly System.Collections.Concurrent.ConcurrentDictionary<string, UserInfo> _users = new();

    /// <summary>Adds a token of a user.</summary>
    public void Add(string token, UserInfo user) => _users[Hash(token)] = user;

    /// <summary>Makes a random token for a user that lives as long as this process.</summary>
    public string Create(UserInfo user)
    {
        var token = Base64Url.Encode(RandomNumberGenerator.GetBytes(32));
        Add(token, user);
        return token;
    }

    /// <summary>The user of a token, or null.</summary>
    public UserInfo? Find(string token) => _users.GetValueOrDefault(Hash(token));

    /// <summary>Reads the text of a token file; throws InvalidDataException naming the line that is wrong.</summary>
    public static StaticTokens Parse(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        var tokens = new StaticTokens();
        var number = 0;
        foreach (var line in text.Split('\n'))
        {
            number++;
            if (line.Trim().Length == 0) continue;
            var columns = Columns(line.TrimEnd('\r'));
            if (columns.Count < 3) throw new InvalidDataException($"line {number}: a token needs three columns (token, user, uid), found {columns.Count}");
            if (columns[0].Length == 0) throw new InvalidDataException($"line {number}: empty token");
            var groups = columns.Count > 3 ? columns[3].Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries) : [];
            tokens.Add(columns[0], new UserInfo(columns[1], columns[2], groups));
        }

        return tokens;
    }

    private static string Hash(string token) => Convert.ToHexString(SHA256.HashData(Encoding.UTF8.GetBytes(token)));

    private static List<string> Columns(string line)
    {
        var columns = new List<string>();
        var column = new StringBuilder();
        var quoted = false;
        foreach (var c in line)
        {
            if (c == '"') quoted = !quoted;
            else if (c == ',' && !quoted)
            {
                columns.Add(column.ToString().Trim());
                column.Clear();
            }
            else column.Append(c);
        }

        columns.Add(column.ToString().Trim());
        return columns;
    }
}
