using System.Text;

namespace Mesh.Packing.Tests;

public class PackTests
{
    private static readonly string[] s_words = ["{\"name\":\"", "\",\"value\":", "true", "false", "default", "12345678", "registry.example.com/", "aaaaaaaaaaaaaaaaaaaaaaaa", "\0", "ü"];

    /// <summary>Whatever the dictionary and the value, what comes out is what went in.</summary>
    [Fact]
    public void Every_value_comes_back()
    {
        var random = new Random(20261121);
        var packedOnce = 0;
        for (var round = 0; round < 4000; round++)
        {
            var dictionary = new PackDictionary(Text(random, random.Next(4) == 0 ? random.Next(40) : random.Next(40_000)));
            for (var i = 0; i < 4; i++)
            {
                var value = random.Next(5) switch
                {
                    0 => Mutated(random, dictionary.Text),
                    1 => Noise(random, random.Next(3000)),
                    2 => [.. Text(random, random.Next(500)), .. Noise(random, random.Next(30)), .. Text(random, random.Next(500))],
                    _ => Text(random, random.Next(random.Next(10) == 0 ? 200_000 : 3000)),
                };
                if (dictionary.Pack(value) is not { } packed) continue;
                packedOnce++;
                Assert.Equal(value.Length, packed.Length);
                Assert.True(packed.PackedLength <= value.Length - (value.Length / 4));
                Assert.True(value.AsSpan().SequenceEqual(packed.ToArray()), $"round {round}, value {i}");
            }
        }

        Assert.True(packedOnce > 4000);
    }

    [Fact]
    public void Noise_and_short_values_stay_as_they_are()
    {
        var random = new Random(7);
        var family = new PackFamily();
        var packed = 0;
        for (var i = 0; i < 100; i++)
        {
            if (family.Pack(Noise(random, 4000)) is not null) packed++;
            Assert.Null(family.Pack(Text(random, 20)));
        }

        // Only values that just became the dictionary.
        Assert.InRange(packed, 0, 4);
    }

    /// <summary>Objects that differ in names and numbers shrink to those, also when what they look like changes.</summary>
    [Fact]
    public void A_family_learns_what_its_values_look_like()
    {
        var random = new Random(3);
        var family = new PackFamily();
        for (var shape = 0; shape < 4; shape++)
        {
            var template = Encoding.UTF8.GetString(Text(random, 3000)).Replace("value", "v" + shape, StringComparison.Ordinal) + Convert.ToHexString(Noise(random, 700));
            var (raw, small) = (0L, 0L);
            for (var i = 0; i < 2000; i++)
            {
                var value = Encoding.UTF8.GetBytes($"{{\"id\":\"{Convert.ToHexString(Noise(random, 16))}\",{template}");
                var packed = family.Pack(value);
                if (packed is not null) Assert.True(value.AsSpan().SequenceEqual(packed.ToArray()));
                raw += value.Length;
                small += packed?.PackedLength ?? value.Length;
            }

            Assert.True(small * 4 < raw, $"shape {shape}: {raw} bytes became {small}");
        }
    }

    /// <summary>A damaged value is refused or comes out wrong, but never reads or writes outside, and never hangs.</summary>
    [Fact]
    public void Damage_stays_inside()
    {
        var random = new Random(11);
        var dictionary = new PackDictionary(Text(random, 5000));
        var refused = 0;
        for (var round = 0; round < 20_000; round++)
        {
            var noise = Noise(random, 1 + random.Next(60));
            try
            {
                dictionary.Unpack(noise, new byte[random.Next(2000)]);
            }
            catch (InvalidDataException)
            {
                refused++;
            }
        }

        Assert.True(refused > 10_000);
    }

    private static byte[] Text(Random random, int length)
    {
        var text = new StringBuilder();
        while (text.Length < length) text.Append(s_words[random.Next(s_words.Length)]).Append(random.Next(3) == 0 ? random.Next(1000).ToString() : "");
        return Encoding.UTF8.GetBytes(text.ToString())[..length];
    }

    private static byte[] Noise(Random random, int length)
    {
        var noise = new byte[length];
        random.NextBytes(noise);
        return noise;
    }

    private static byte[] Mutated(Random random, ReadOnlySpan<byte> text)
    {
        var value = text[Math.Min(text.Length, random.Next(100))..].ToArray();
        for (var i = random.Next(30); i > 0 && value.Length > 0; i--) value[random.Next(value.Length)]++;
        return value;
    }
}
