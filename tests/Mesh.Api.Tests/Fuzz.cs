using Xunit;

namespace Mesh.Api.Tests;

/// <summary>Damaged and random inputs from fixed seeds. MESH_FUZZ_ROUNDS (default 2,000) says how many: a million is the proof, two thousand the daily check.</summary>
internal static class Fuzz
{
    private const string Marks = "{}[]\",:-&*!|>%@`0\n \t\\=()/~$.eEmKi";

    public static int Rounds { get; } = int.TryParse(Environment.GetEnvironmentVariable("MESH_FUZZ_ROUNDS"), out var rounds) ? rounds : 2000;

    /// <summary>Each input is taken, or refused with a declared exception; anything else fails with what reproduces it.</summary>
    public static void Run(int seed, byte[] sample, Action<byte[]> take, Func<Exception, bool> declared)
    {
        var random = new Random(seed);
        for (var i = 0; i < Rounds; i++)
        {
            var body = Damage(random, sample);
            try
            {
                take(body);
            }
            catch (Exception e) when (declared(e))
            {
                // The declared answer.
            }
            catch (Exception e)
            {
                Assert.Fail($"seed {seed} round {i}: {e.GetType().Name} {e.Message}\n{e.StackTrace}\nbody {Convert.ToBase64String(body.AsSpan(0, Math.Min(body.Length, 400)))}");
            }
        }
    }

    public static byte[] Damage(Random random, byte[] sample)
    {
        if (random.Next(20) == 0)
        {
            var noise = new byte[random.Next(200)];
            random.NextBytes(noise);
            return noise;
        }

        // Damage near the front as often as anywhere, and work on a part of a long sample now and then.
        var body = (random.Next(4) == 0 ? sample[..random.Next(sample.Length + 1)] : sample).ToList();
        for (var n = random.Next(1, 6); n > 0 && body.Count > 0; n--)
        {
            var at = random.Next(2) == 0 ? random.Next(body.Count) : random.Next(Math.Min(body.Count, 300));
            switch (random.Next(5))
            {
                case 0:
                    body[at] = (byte)random.Next(256);
                    break;
                case 1:
                    body.RemoveAt(at);
                    break;
                case 2:
                    body.Insert(at, (byte)Marks[random.Next(Marks.Length)]);
                    break;
                case 3:
                    body[at] ^= (byte)(1 << random.Next(8));
                    break;
                default:
                    var from = random.Next(body.Count);
                    body.InsertRange(at, body.Skip(from).Take(random.Next(1, 20)).ToArray());
                    break;
            }
        }

        return [.. body];
    }
}
