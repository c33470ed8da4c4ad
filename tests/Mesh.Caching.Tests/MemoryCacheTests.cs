using Mesh.Client.Testing;

namespace Mesh.Caching.Tests;

public class MemoryCacheTests
{
    private static readonly TimeSpan Minute = TimeSpan.FromMinutes(1);
    private readonly ManualTime time = new();

    [Fact]
    public async Task An_entry_is_found_until_its_end()
    {
        var cache = new MemoryCache(time);
        cache.Set("a", [1], Minute);
        time.Advance(TimeSpan.FromSeconds(59));
        Assert.Equal([1], await cache.GetAsync("a", default));
        time.Advance(TimeSpan.FromSeconds(1));
        Assert.Null(await cache.GetAsync("a", default));
        Assert.Equal(0, cache.Bytes);
    }

    [Fact]
    public async Task A_later_value_takes_the_place_of_the_earlier()
    {
        var cache = new MemoryCache(time);
        cache.Set("a", [1], Minute);
        var one = cache.Bytes;
        cache.Set("a", [2], Minute);
        Assert.Equal([2], await cache.GetAsync("a", default));
        Assert.Equal(one, cache.Bytes);
    }

    [Fact]
    public async Task Full_it_lets_go_of_what_was_left_first_and_never_holds_more_than_it_may()
    {
        var cache = new MemoryCache(time, 10_000);
        for (var i = 0; i < 100; i++)
        {
            cache.Set($"k{i}", new byte[1000], Minute);
            Assert.InRange(cache.Bytes, 1, 10_000);
        }

        Assert.Null(await cache.GetAsync("k0", default));
        Assert.NotNull(await cache.GetAsync("k99", default));
        cache.Set("huge", new byte[10_001], Minute);
        Assert.Null(await cache.GetAsync("huge", default));
        Assert.NotNull(await cache.GetAsync("k99", default));
    }

    [Fact]
    public async Task A_sealed_entry_ends_in_time_even_when_its_keeper_holds_on_to_it()
    {
        using var cache = new SealedCache(new MemoryCache(new ManualTime()), "sixteen bytes and more"u8, time);
        cache.Set("a", [1, 2, 3], Minute);
        Assert.Equal([1, 2, 3], await cache.GetAsync("a", default));
        time.Advance(Minute);
        Assert.Null(await cache.GetAsync("a", default));
    }

    [Fact]
    public void A_short_secret_is_refused() =>
        Assert.Throws<ArgumentOutOfRangeException>(() => new SealedCache(new MemoryCache(time), "short"u8, time));
}
