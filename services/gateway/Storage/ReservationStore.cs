using System.Text;
using Mesh.Gateway.Registry;

namespace Mesh.Gateway.Storage;

/// <summary>Taken values as keys of the store: /registry/ranges/RANGE/VALUE = owner. Taking is a create, so two gateways cannot take the same.</summary>
internal sealed class ReservationStore(ObjectStorage storage) : IReservationStore
{
    /// <inheritdoc/>
    public async ValueTask<bool> TryTakeAsync(string range, string value, string owner, CancellationToken ct)
    {
        var result = await storage.CreateAsync(Key(range, value), Encoding.UTF8.GetBytes(owner), null, ct);
        return result.Succeeded || (result.Current is { } taken && Encoding.UTF8.GetString(taken.Json.Span) == owner);
    }

    /// <inheritdoc/>
    public async ValueTask ReleaseAsync(string range, string value, CancellationToken ct)
    {
        var key = Key(range, value);
        for (var current = await storage.GetAsync(key, ct); current is not null;)
        {
            var result = await storage.DeleteAsync(key, current.Revision, ct);
            if (result.Succeeded) return;
            current = result.Current;
        }
    }

    /// <inheritdoc/>
    public async ValueTask<IReadOnlyDictionary<string, string>> ListAsync(string range, CancellationToken ct)
    {
        var prefix = Key(range, "");
        var page = await storage.ListAsync(prefix, null, 0, 0, ct);
        return page.Items.ToDictionary(i => i.Key[prefix.Length..], i => Encoding.UTF8.GetString(i.Json.Span), StringComparer.Ordinal);
    }

    private static string Key(string range, string value) => "/registry/ranges/" + range + "/" + value;
}
