using System.Text;
using Mesh.Client.Testing;

namespace Mesh.Caching.Tests;

public class SharedAnswersTests
{
    private readonly ManualTime time = new();
    private readonly TimedCache cache;
    private int made;

    public SharedAnswersTests() => cache = new TimedCache(time);

    [Fact]
    public async Task What_is_slow_to_find_out_is_found_out_once()
    {
        cache.Takes = TimeSpan.FromMilliseconds(1);
        var (one, other) = (Answers(), Answers());
        for (var i = 0; i < 100; i++)
        {
            Assert.Equal("answer x", await AskAsync(one, "x", TimeSpan.FromMilliseconds(20)));
            Assert.Equal("answer x", await AskAsync(other, "x", TimeSpan.FromMilliseconds(20)));
        }

        Assert.Equal(1, made);
    }

    [Fact]
    public async Task What_is_quick_to_find_out_is_not_asked_for()
    {
        cache.Takes = TimeSpan.FromMilliseconds(1);
        var answers = Answers();
        for (var i = 0; i < 100; i++) Assert.Equal($"answer {i}", await AskAsync(answers, $"{i}", TimeSpan.FromMicroseconds(2)));
        Assert.InRange(cache.Asked, 1, 2);
        Assert.False(answers.Asks);
    }

    [Fact]
    public async Task A_cache_that_gets_quick_again_is_asked_again()
    {
        cache.Takes = TimeSpan.FromMilliseconds(50);
        var answers = Answers();
        for (var i = 0; i < 10; i++) await AskAsync(answers, $"{i}", TimeSpan.FromMilliseconds(10));
        Assert.False(answers.Asks);

        cache.Takes = TimeSpan.FromMilliseconds(1);
        for (var i = 0; i < 40 && !answers.Asks; i++)
        {
            time.Advance(SharedAnswers<string>.Recheck);
            await AskAsync(answers, $"more {i}", TimeSpan.FromMilliseconds(10));
        }

        Assert.True(answers.Asks);
    }

    [Fact]
    public async Task An_answer_that_ends_by_itself_is_not_used_after_that()
    {
        var answers = Answers();
        var end = time.GetUtcNow() + TimeSpan.FromSeconds(5);
        Assert.Equal("answer x", await AskAsync(answers, "x", TimeSpan.FromSeconds(1), end));
        Assert.Equal("answer x", await AskAsync(answers, "x", TimeSpan.FromSeconds(1), end));
        Assert.Equal(1, made);
        time.Advance(TimeSpan.FromSeconds(5));
        await AskAsync(answers, "x", TimeSpan.FromSeconds(1), end + TimeSpan.FromSeconds(60));
        Assert.Equal(2, made);
    }

    [Fact]
    public async Task Bytes_that_are_no_answer_are_a_miss_and_no_answer_is_not_left()
    {
        var answers = Answers();
        cache.Set("kind:x", "of another version"u8.ToArray(), TimeSpan.FromMinutes(1));
        Assert.Equal("answer x", await AskAsync(answers, "x", TimeSpan.FromSeconds(1)));
        Assert.Null(await answers.GetAsync("nobody", static k => k, static (_, _) => new((string?)null), null, default));
        Assert.Null(await cache.GetAsync("kind:nobody", default));
    }

    private SharedAnswers<string> Answers() => new(
        "kind", cache, TimeSpan.FromMinutes(10), Encoding.UTF8.GetBytes,
        static bytes => Encoding.UTF8.GetString(bytes) is var text && text.StartsWith("answer", StringComparison.Ordinal) ? text : null, time);

    private ValueTask<string?> AskAsync(SharedAnswers<string> answers, string question, TimeSpan takes, DateTimeOffset? until = null) => answers.GetAsync(
        question,
        static q => q,
        (q, _) =>
        {
            made++;
            time.Advance(takes);
            return new ValueTask<string?>("answer " + q);
        },
        until is null ? null : _ => until,
        default);

    private sealed class TimedCache(ManualTime time) : ISharedCache
    {
        private readonly MemoryCache kept = new(time);

        public TimeSpan Takes { get; set; }

        public int Asked { get; private set; }

        public ValueTask<byte[]?> GetAsync(string key, CancellationToken ct)
        {
            Asked++;
            time.Advance(Takes);
            return kept.GetAsync(key, ct);
        }

        public void Set(string key, byte[] value, TimeSpan lifetime) => kept.Set(key, value, lifetime);
    }
}
