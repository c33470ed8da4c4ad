using System.Diagnostics;
using System.Text;
using Microsoft.Extensions.Logging.Abstractions;

namespace Mesh.Caching.Tests;

public class RedisCacheTests
{
    private static readonly TimeSpan Minute = TimeSpan.FromMinutes(1);

    [Fact]
    public async Task What_one_process_left_another_finds_until_it_is_flushed()
    {
        using var redis = new RedisServer();
        await using var one = Cache(redis);
        await using var other = Cache(redis);
        await UntilFoundAsync(one, "a", "1", leave: one);
        await UntilFoundAsync(other, "a", "1", leave: one);

        // What is left is sent without waiting: everything sent before a question has arrived when it is answered.
        await UntilFoundAsync(one, "a", "1", leave: one);
        redis.Command("FLUSHALL");

        Assert.Null(await other.GetAsync("a", default));
        await UntilFoundAsync(other, "a", "2", leave: one);
    }

    [Fact]
    public async Task Entries_end_with_their_lifetime()
    {
        using var redis = new RedisServer();
        await using var cache = Cache(redis);
        await UntilFoundAsync(cache, "a", "1", leave: cache);
        Assert.InRange(long.Parse(redis.Command("PTTL", "a")), 1, 60_000);
    }

    [Fact]
    public async Task While_redis_is_gone_there_is_nothing_and_when_it_is_back_there_is()
    {
        using var redis = new RedisServer();
        await using var cache = Cache(redis);
        await UntilFoundAsync(cache, "a", "1", leave: cache);

        redis.Kill();
        for (var i = 0; i < 100; i++)
        {
            cache.Set("b", [1], Minute);
            Assert.Null(await cache.GetAsync("b", default));
        }

        redis.Start();
        await UntilFoundAsync(cache, "a", "2", leave: cache);
    }

    [Fact]
    public async Task A_redis_that_hangs_costs_a_few_questions_their_patience_and_the_others_nothing()
    {
        using var redis = new RedisServer();
        await using var cache = Cache(redis);
        await UntilFoundAsync(cache, "a", "1", leave: cache);

        redis.Signal("-STOP");
        var watch = Stopwatch.StartNew();
        var slow = 0;
        for (var i = 0; i < 2000; i++)
        {
            var before = watch.Elapsed;
            Assert.Null(await cache.GetAsync("a", default));
            if (watch.Elapsed - before >= RedisCache.Patience / 2) slow++;
        }

        // Each doubles the rest after it: 2,000 questions in a row meet a handful of tries.
        Assert.InRange(slow, 1, 20);

        redis.Signal("-CONT");
        await UntilFoundAsync(cache, "a", "1", leave: cache);
    }

    [Fact]
    public async Task Without_any_redis_it_starts_and_finds_nothing()
    {
        await using var cache = new RedisCache("127.0.0.1:1", TimeProvider.System, NullLogger<RedisCache>.Instance);
        cache.Set("a", [1], Minute);
        Assert.Null(await cache.GetAsync("a", default));
    }

    [Theory]
    [InlineData("")]
    [InlineData("localhost,nonsense=1")]
    public void A_configuration_that_cannot_be_read_is_refused(string configuration) =>
        Assert.ThrowsAny<ArgumentException>(() => new RedisCache(configuration, TimeProvider.System, NullLogger<RedisCache>.Instance));

    [Fact]
    public async Task Behind_the_seal_redis_sees_neither_names_nor_values_and_cannot_make_them_up()
    {
        using var redis = new RedisServer();
        await using var plain = Cache(redis);
        using var cache = new SealedCache(plain, "sixteen bytes and more"u8, TimeProvider.System);
        await UntilFoundAsync(cache, "token of alice", "system:masters", leave: cache);
        await UntilFoundAsync(cache, "token of bob", "nobody", leave: cache);
        var keys = redis.Command("KEYS", "*").Split('\n');
        Assert.Equal(2, keys.Length);
        Assert.DoesNotContain(keys, k => k.Contains("alice", StringComparison.Ordinal));
        Assert.All(keys, k => Assert.DoesNotContain("system:masters", redis.Command("GET", k)));

        // Somebody swaps the entries, and damages one.
        redis.Command("RENAME", keys[0], "held");
        redis.Command("RENAME", keys[1], keys[0]);
        redis.Command("RENAME", "held", keys[1]);
        Assert.Null(await cache.GetAsync("token of alice", default));
        Assert.Null(await cache.GetAsync("token of bob", default));
        redis.Command("SETRANGE", keys[0], "20", "x");
        Assert.Null(await cache.GetAsync("token of bob", default));

        using var stranger = new SealedCache(plain, "another secret of ours"u8, TimeProvider.System);
        Assert.Null(await stranger.GetAsync("token of alice", default));
    }

    private static RedisCache Cache(RedisServer redis) => new(redis.Configuration, TimeProvider.System, NullLogger<RedisCache>.Instance);

    private static async Task UntilFoundAsync(ISharedCache cache, string key, string value, ISharedCache leave)
    {
        using var deadline = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        while (await cache.GetAsync(key, deadline.Token) is not { } found || Encoding.UTF8.GetString(found) != value)
        {
            leave.Set(key, Encoding.UTF8.GetBytes(value), Minute);
            await Task.Delay(20, deadline.Token);
        }
    }
}
