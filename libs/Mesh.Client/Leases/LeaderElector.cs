using Mesh.Api;
using Microsoft.Extensions.Logging;

namespace Mesh.Client;

/// <summary>Timings of an election; the defaults are Kubernetes' (15 s, 10 s, 2 s).</summary>
public sealed record LeaderElectionTimings(TimeSpan LeaseDuration, TimeSpan RenewDeadline, TimeSpan RetryPeriod)
{
    /// <summary>15 s lease, 10 s to renew it, a try every 2 s.</summary>
    public static LeaderElectionTimings Default { get; } = new(TimeSpan.FromSeconds(15), TimeSpan.FromSeconds(10), TimeSpan.FromSeconds(2));
}

/// <summary>
/// Runs work only while this process holds a lease. Others' clocks do not matter: a record counts as expired when it has not
/// changed for its duration by our own clock.
/// </summary>
public sealed class LeaderElector(
    LeaseLock leaseLock, LeaderElectionTimings timings, ILogger logger, TimeProvider? time = null, Random? random = null)
{
    private readonly TimeProvider _time = time ?? TimeProvider.System;
    private readonly Random _random = random ?? Random.Shared;
    private LeaseRecord? _seen;
    private long _seenAt;

    /// <summary>Whether this process leads now.</summary>
    public bool IsLeader { get; private set; }

    /// <summary>
    /// Waits for the lease, runs the work with a token that ends with the leadership, and tries again when it was lost.
    /// Returns when cancelled or when the work ends by itself; gives the lease back then.
    /// </summary>
    public async Task RunAsync(Func<CancellationToken, Task> lead, CancellationToken ct)
    {
        ArgumentNullException.ThrowIfNull(lead);
        while (!ct.IsCancellationRequested)
        {
            if (!await AcquireAsync(ct).ConfigureAwait(false)) return;
            ClientLog.Leading(logger, leaseLock.Identity, leaseLock.ToString());
            IsLeader = true;
            using var leading = CancellationTokenSource.CreateLinkedTokenSource(ct);
            var renewing = RenewAsync(leading.Token);
            var work = Task.Run(() => lead(leading.Token), CancellationToken.None);
            var first = await Task.WhenAny(renewing, work).ConfigureAwait(false);
            await leading.CancelAsync().ConfigureAwait(false);
            try
            {
                await work.ConfigureAwait(false);
            }
            catch (OperationCanceledException)
            {
                // the end of leadership is not the work's failure
            }
            finally
            {
                await renewing.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                IsLeader = false;
                await ReleaseAsync().ConfigureAwait(false);
            }

            if (first == work) return;
            if (!ct.IsCancellationRequested) ClientLog.LeadLost(logger, leaseLock.Identity, leaseLock.ToString());
        }
    }

    private async Task<bool> AcquireAsync(CancellationToken ct)
    {
        while (!ct.IsCancellationRequested)
        {
            if (await TryOnceAsync(ct).ConfigureAwait(false)) return true;
            // Jitter 1.2 as client-go, so that waiting candidates do not race in step.
            await SleepAsync(timings.RetryPeriod * (1 + (1.2 * _random.NextDouble())), ct).ConfigureAwait(false);
        }

        return false;
    }

    /// <summary>Keeps the lease until it could not be renewed for the renew deadline.</summary>
    private async Task RenewAsync(CancellationToken ct)
    {
        var renewed = _time.GetTimestamp();
        while (!ct.IsCancellationRequested)
        {
            await SleepAsync(timings.RetryPeriod, ct).ConfigureAwait(false);
            using var deadline = new CancellationTokenSource(timings.RenewDeadline, _time);
            using var both = CancellationTokenSource.CreateLinkedTokenSource(ct, deadline.Token);
            if (await TryOnceAsync(both.Token).ConfigureAwait(false)) renewed = _time.GetTimestamp();
            else if (_seen is { } seen && seen.HolderIdentity != leaseLock.Identity && !Expired(seen)) return;
            else if (_time.GetElapsedTime(renewed) >= timings.RenewDeadline) return;
        }
    }

    private async Task<bool> TryOnceAsync(CancellationToken ct)
    {
        try
        {
            var record = await leaseLock.GetAsync(ct).ConfigureAwait(false);
            var now = _time.GetUtcNow().UtcDateTime;
            if (record != _seen) (_seen, _seenAt) = (record, _time.GetTimestamp());
            var mine = record?.HolderIdentity == leaseLock.Identity;
            if (record is not null && !mine && !string.IsNullOrEmpty(record.HolderIdentity) && !Expired(record))
            {
                ClientLog.LeaseHeld(logger, leaseLock.ToString(), record.HolderIdentity);
                return false;
            }

            var next = new LeaseRecord(
                leaseLock.Identity,
                (int)timings.LeaseDuration.TotalSeconds,
                mine ? record!.AcquireTime : now,
                now,
                record is null ? 0 : record.Transitions + (mine ? 0 : 1));
            await leaseLock.PutAsync(next, ct).ConfigureAwait(false);
            (_seen, _seenAt) = (next, _time.GetTimestamp());
            return true;
        }
        catch (Exception e) when (e is not OperationCanceledException || !ct.IsCancellationRequested)
        {
            ClientLog.LeaseFailed(logger, leaseLock.ToString(), e.Message);
            return false;
        }
        catch (OperationCanceledException)
        {
            return false;
        }
    }

    private bool Expired(LeaseRecord record) => _time.GetElapsedTime(_seenAt) >= TimeSpan.FromSeconds(record.DurationSeconds);

    /// <summary>Gives the lease back so that the next one need not wait; best effort, a crash skips it too.</summary>
    private async Task ReleaseAsync()
    {
        try
        {
            using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(2), _time);
            if (await leaseLock.GetAsync(limit.Token).ConfigureAwait(false) is not { } held || held.HolderIdentity != leaseLock.Identity) return;
            var now = _time.GetUtcNow().UtcDateTime;
            await leaseLock.PutAsync(new LeaseRecord("", 1, now, now, held.Transitions), limit.Token).ConfigureAwait(false);
        }
        catch (Exception e)
        {
            ClientLog.LeaseFailed(logger, leaseLock.ToString(), e.Message);
        }
    }

    private async Task SleepAsync(TimeSpan delay, CancellationToken ct) =>
        await Task.Delay(delay, _time, ct).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
}
