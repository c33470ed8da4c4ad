namespace Mesh.Packing;

/// <summary>
/// Packs values that are like each other, such as the objects of one kind, and learns a dictionary from them as they come: values that pack badly are what the next
/// dictionary is made of. The more was seen the more it takes to learn again, so that values nothing can be learned from cost little. Thread safe.
/// </summary>
public sealed class PackFamily
{
    /// <summary>A value that does not shrink to a third teaches.</summary>
    private const int GoodRatio = 3;

    /// <summary>Most of one value that goes into a dictionary.</summary>
    private const int MaxLesson = 12 * 1024;

    /// <summary>What a new dictionary keeps of the one before.</summary>
    private const int Kept = PackDictionary.MaxLength / 4;

    /// <summary>Values in a row that do not pack before some are skipped: enough to have learned from, were there something to learn.</summary>
    private const int FreeFailures = 24;

    /// <summary>At most one in 64 is tried.</summary>
    private const int MaxFailures = FreeFailures + 24;

    private const long FirstLesson = 16 * 1024;
    private const long LastInterval = 8 * 1024 * 1024;
    private readonly Lock gate = new();
    private readonly List<byte> lessons = [];
    private PackDictionary dictionary = new([]);
    private int failures;
    private int skip;
    private long seen;
    private long nextLesson;
    private long interval = FirstLesson;

    /// <summary>Packs a value; null when it stays as it is.</summary>
    public Packed? Pack(ReadOnlySpan<byte> value)
    {
        lock (gate)
        {
            seen += value.Length;
            // Of values that do not pack only one in a while is tried.
            if (skip > 0)
            {
                skip--;
                return null;
            }

            var packed = dictionary.Pack(value);
            failures = packed is null ? Math.Min(failures + 1, MaxFailures) : 0;
            skip = failures > FreeFailures ? 1 << ((failures - FreeFailures) / 4) : 0;
            if (packed is not null && packed.PackedLength * GoodRatio <= value.Length) return packed;
            if (lessons.Count < PackDictionary.MaxLength) lessons.AddRange(value[..Math.Min(value.Length, MaxLesson)]);
            if (seen < nextLesson || !Learn()) return packed;
            return dictionary.Pack(value);
        }
    }

    private bool Learn()
    {
        // Little was heard so far: wait for more, but for the very first time.
        if (nextLesson > 0 && lessons.Count < PackDictionary.MaxLength / 2) return false;
        var text = new List<byte>(PackDictionary.MaxLength + Kept);
        var old = dictionary.Text;
        text.AddRange(old[Math.Max(0, old.Length - Kept)..]);
        text.AddRange(lessons);
        dictionary.Retire();
        dictionary = new PackDictionary(System.Runtime.InteropServices.CollectionsMarshal.AsSpan(text));
        lessons.Clear();
        nextLesson = seen + interval;
        interval = Math.Min(interval * 4, LastInterval);
        return true;
    }
}
