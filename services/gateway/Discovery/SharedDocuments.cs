using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text;
using Mesh.Api;
using Mesh.Caching;

namespace Mesh.Gateway.Discovery;

/// <summary>
/// Documents of this gateway, each kept once it was asked for. Large ones take a good part of a second to make: gateways of the same build that serve
/// the same resources make them once for all.
/// </summary>
internal sealed class SharedDocuments
{
    private static readonly TimeSpan Lifetime = TimeSpan.FromHours(1);
    private readonly ConcurrentDictionary<string, Task<ServedDocument>> kept = new(StringComparer.Ordinal);
    private readonly SharedAnswers<ServedDocument> answers;
    private readonly string made;

    public SharedDocuments(IReadOnlyList<ApiResource> resources, ISharedCache cache, TimeProvider time)
    {
        answers = new SharedAnswers<ServedDocument>("document", cache, Lifetime, static d => d.Body, static bytes => ServedDocument.Of(bytes), time);
        made = Fingerprint(resources);
    }

    /// <summary>The document of this name; made at most once at a time.</summary>
    public Task<ServedDocument> GetAsync(string name, Func<ServedDocument> make, CancellationToken ct)
    {
        if (kept.TryGetValue(name, out var known)) return known.WaitAsync(ct);

        // Made for all who wait, so not ended by one who no longer does.
        var making = kept.GetOrAdd(name, static (n, q) => q.owner.FindAsync(n, q.make), (owner: this, make));
        return making.WaitAsync(ct);
    }

    private async Task<ServedDocument> FindAsync(string name, Func<ServedDocument> make)
    {
        await Task.Yield();
        try
        {
            return (await answers.GetAsync((name, make, made), static q => SharedKey.Of(q.made, q.name), static (q, _) => new ValueTask<ServedDocument?>(q.make()), null, default))!;
        }
        catch
        {
            kept.TryRemove(name, out _);
            throw;
        }
    }

    private static string Fingerprint(IReadOnlyList<ApiResource> resources)
    {
        var text = new StringBuilder($"{typeof(SharedDocuments).Module.ModuleVersionId} {typeof(ApiResource).Module.ModuleVersionId}");
        foreach (var r in resources) text.Append($"\n{r.Group}/{r.Version}/{r.Plural} {r.Kind} {string.Join(',', r.Verbs)} {string.Join(',', r.Subresources.Select(s => s.Name))}");
        return Convert.ToHexString(SHA256.HashData(Encoding.UTF8.GetBytes(text.ToString())));
    }
}
