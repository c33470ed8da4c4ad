using System.Text.Json.Nodes;
using Grpc.Core;
using Mesh.Api;
using Mesh.Gateway.Storage;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Mesh.Gateway.Registry.Kinds.Network;

/// <summary>
/// Releases addresses and node ports that a gateway, killed between taking one and writing the Service, left taken. What no Service
/// holds in two looks <see cref="Patience"/> apart is released: longer than any request may be under way.
/// </summary>
internal sealed partial class AllocationRepair(ObjectStorage storage, IReservationStore reservations, TimeProvider time, ILogger<AllocationRepair> logger) : BackgroundService
{
    /// <summary>Between the looks.</summary>
    internal static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        try
        {
            var before = await LookAsync(stoppingToken);
            if (before.Count == 0) return;
            await Task.Delay(Patience, time, stoppingToken);
            before.IntersectWith(await LookAsync(stoppingToken));
            foreach (var (range, value, owner) in before)
            {
                await reservations.ReleaseAsync(range, value, stoppingToken);
                Released(logger, range, value, owner);
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // The next gateway looks.
        }
        catch (RpcException e)
        {
            Failed(logger, e.Status.Detail);
        }
    }

    private async Task<HashSet<(string Range, string Value, string Owner)>> LookAsync(CancellationToken ct)
    {
        var page = await storage.ListAsync(StorageKeys.Prefix(ResourceTable.Find("", "v1", "services")!), null, 0, 0, ct);
        return await ServiceAllocator.CompareAsync(page.Items.Select(static i => JsonNode.Parse(i.Json.Span)!.AsObject()), reservations, ct);
    }

    [LoggerMessage(1, LogLevel.Information, "released {Range} {Value}: taken for {Owner}, which does not hold it")]
    private static partial void Released(ILogger logger, string range, string value, string owner);

    [LoggerMessage(2, LogLevel.Warning, "allocations could not be compared, the next start does: {Reason}")]
    private static partial void Failed(ILogger logger, string reason);
}
