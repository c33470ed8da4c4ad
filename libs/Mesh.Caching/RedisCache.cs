using Microsoft.Extensions.Logging;
using StackExchange.Redis;

namespace Mesh.Caching;

/// <summary>
/// The cache that processes on many machines share, in Redis. A question waits <see cref="Patience"/> at most. After one that got no answer nobody asks
/// for a while, twice as long each time up to <see cref="LongestRest"/>; then one does, to see. Connects in the background, again and again. Whatever the
/// client library throws when a connection breaks is no answer: nothing of it reaches a caller.
/// </summary>
public sealed class RedisCache : ISharedCache, IAsyncDisposable
{
    /// <summary>How long a question may take.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromMilliseconds(50);

    /// <summary>The longest time without a try.</summary>
    public static readonly TimeSpan LongestRest = TimeSpan.FromSeconds(5);

    private static readonly TimeSpan FirstRest = TimeSpan.FromMilliseconds(100);

    private readonly TimeProvider time;
    private readonly ILogger logger;
    private readonly Task<ConnectionMultiplexer> connecting;
    private readonly Lock gate = new();
    private TimeSpan rest;
    private long askAgainAt;
    private bool silent;

    /// <summary>A cache in Redis.</summary>
    /// <param name="configuration">As StackExchange.Redis reads it: <c>host:port,password=...,ssl=true</c>.</param>
    /// <param name="time">What the rests are measured by.</param>
    /// <param name="logger">Is told when Redis goes and comes.</param>
    /// <exception cref="ArgumentException">The configuration cannot be read.</exception>
    public RedisCache(string configuration, TimeProvider time, ILogger<RedisCache> logger)
    {
        this.time = time;
        this.logger = logger;
        askAgainAt = time.GetTimestamp();
        var options = ConfigurationOptions.Parse(configuration);
        if (options.EndPoints.Count == 0) throw new ArgumentException("names no host:port", nameof(configuration));
        options.AbortOnConnectFail = false;
        options.ConnectTimeout = 1000;
        options.ResponseTimeout = 1000;
        options.AllowAdmin = false;
        options.ClientName = "mesh";
        connecting = ConnectionMultiplexer.ConnectAsync(options);
    }

    /// <inheritdoc/>
    public async ValueTask<byte[]?> GetAsync(string key, CancellationToken ct)
    {
        if (Reachable() is not { } redis) return null;
        try
        {
            var value = await redis.StringGetAsync(key).WaitAsync(Patience, time, ct);
            Heard();
            return value;
        }
        catch (Exception e) when (!ct.IsCancellationRequested)
        {
            NotHeard(e);
            return null;
        }
    }

    /// <inheritdoc/>
    public void Set(string key, byte[] value, TimeSpan lifetime)
    {
        if (Reachable() is not { } redis) return;
        try
        {
            _ = redis.StringSetAsync(key, value, lifetime, flags: CommandFlags.FireAndForget);
        }
        catch (Exception e)
        {
            NotHeard(e);
        }
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        try
        {
            (await connecting).Dispose();
        }
        catch (RedisException)
        {
            // It never came up.
        }
    }

    // Null while connecting, while the connection is down (nothing is queued for later) and while resting; one caller is let through when a rest ends.
    private IDatabase? Reachable()
    {
        if (!connecting.IsCompletedSuccessfully) return null;
        lock (gate)
        {
            if (silent)
            {
                var now = time.GetTimestamp();
                if (now < askAgainAt) return null;
                askAgainAt = now + Ticks(rest);
            }
        }

        var connection = connecting.Result;
        return connection.IsConnected ? connection.GetDatabase() : null;
    }

    private void Heard()
    {
        if (!Volatile.Read(ref silent)) return;
        lock (gate)
        {
            if (!silent) return;
            silent = false;
            rest = default;
        }

        Log.RedisAnswers(logger);
    }

    private void NotHeard(Exception why)
    {
        bool first;
        lock (gate)
        {
            first = !silent;
            silent = true;
            rest = rest == default ? FirstRest : rest + rest < LongestRest ? rest + rest : LongestRest;
            askAgainAt = time.GetTimestamp() + Ticks(rest);
        }

        if (first) Log.RedisSilent(logger, why.Message);
    }

    private long Ticks(TimeSpan span) => (long)(span.TotalSeconds * time.TimestampFrequency);
}
