using System.Buffers.Binary;
using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Mesh.Packing;

/// <summary>
/// Text that values are packed against: a value becomes the pieces that are not in the dictionary (or earlier in itself), and references to those that are.
/// <para>
/// A packed value is a run of sequences: a token (high half: number of literal bytes, low half: length of the copy less 4; 15 goes on in bytes of 255 until a
/// smaller one), the literals, and the distance back (2 bytes, little-endian) in the dictionary followed by what is unpacked so far. The last has literals only.
/// </para>
/// </summary>
public sealed class PackDictionary
{
    /// <summary>Most bytes of a dictionary: with it a copy still reaches 32 KiB back in the value.</summary>
    public const int MaxLength = 32 * 1024;

    private const int MinMatch = 4;
    private const int MaxDistance = ushort.MaxValue;
    private const int LongBits = 13;
    private const int ShortBits = 12;
    private readonly byte[] text;
    private ushort[]? longs;
    private ushort[]? shorts;

    /// <summary>A dictionary of the text's last <see cref="MaxLength"/> bytes; they are copied.</summary>
    public PackDictionary(ReadOnlySpan<byte> text)
    {
        if (text.Length > MaxLength) text = text[^MaxLength..];
        this.text = text.ToArray();
    }

    /// <summary>The text.</summary>
    internal ReadOnlySpan<byte> Text => text;

    /// <summary>Packs a value; null when that would not save a quarter of it.</summary>
    public Packed? Pack(ReadOnlySpan<byte> value)
    {
        if (value.Length < 64) return null;
        Index();
        var limit = value.Length - (value.Length / 4);
        var rented = System.Buffers.ArrayPool<byte>.Shared.Rent(limit + 16);
        var written = new Encoder(text, longs, shorts, value, rented.AsSpan(0, limit)).Run();
        var packed = written < 0 ? null : new Packed(this, rented.AsSpan(0, written).ToArray(), value.Length);
        System.Buffers.ArrayPool<byte>.Shared.Return(rented);
        return packed;
    }

    /// <summary>Lets go of what only packing needs; it is made again when packing goes on.</summary>
    internal void Retire() => (longs, shorts) = (null, null);

    /// <summary>Unpacks into a span of exactly the value's length.</summary>
    /// <exception cref="InvalidDataException">The bytes are not a value packed against this dictionary.</exception>
    internal void Unpack(ReadOnlySpan<byte> packed, Span<byte> value)
    {
        int at = 0, made = 0;
        while (true)
        {
            if (at >= packed.Length) throw Malformed();
            var token = packed[at++];
            var literals = Length(packed, ref at, token >> 4);
            if (literals > packed.Length - at || literals > value.Length - made) throw Malformed();
            packed.Slice(at, literals).CopyTo(value[made..]);
            at += literals;
            made += literals;
            if (at == packed.Length) break;
            var length = Length(packed, ref at, token & 15) + MinMatch;
            if (packed.Length - at < 2) throw Malformed();
            var distance = BinaryPrimitives.ReadUInt16LittleEndian(packed[at..]);
            at += 2;
            if (distance == 0 || length > value.Length - made || distance > made + text.Length) throw Malformed();
            if (distance > made)
            {
                // The copy begins in the dictionary and may run on into the value's beginning.
                var start = text.Length - (distance - made);
                var inText = Math.Min(length, text.Length - start);
                text.AsSpan(start, inText).CopyTo(value[made..]);
                made += inText;
                length -= inText;
            }

            var from = made - distance;
            while (length > 0)
            {
                // A copy that overlaps itself repeats what lies between: each round doubles it.
                var part = Math.Min(length, made - from);
                value.Slice(from, part).CopyTo(value[made..]);
                made += part;
                length -= part;
            }
        }

        if (made != value.Length) throw Malformed();
    }

    private static int Length(ReadOnlySpan<byte> packed, ref int at, int half)
    {
        if (half < 15) return half;
        while (true)
        {
            if (at >= packed.Length || half > int.MaxValue / 2) throw Malformed();
            var more = packed[at++];
            half += more;
            if (more < 255) return half;
        }
    }

    private static InvalidDataException Malformed() => new("a packed value is damaged");

    private void Index()
    {
        if (longs is not null) return;
        var (eight, four) = (new ushort[1 << LongBits], new ushort[1 << ShortBits]);
        // Positions are one-based (0: none). Later ones win: they are the nearer.
        for (var i = 0; i + 8 <= text.Length; i++)
        {
            var next = MemoryMarshal.Read<ulong>(text.AsSpan(i));
            eight[LongHash(next)] = (ushort)(i + 1);
            four[ShortHash((uint)next)] = (ushort)(i + 1);
        }

        (shorts, longs) = (four, eight);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static int LongHash(ulong bytes) => (int)((bytes * 0x9E3779B185EBCA87) >> (64 - LongBits));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static int ShortHash(uint bytes) => (int)((bytes * 2654435761u) >> (32 - ShortBits));

    /// <summary>One value being packed. Greedy; of several places to copy from, the first that is good: where the last copy would go on, eight like bytes, four like bytes.</summary>
    private ref struct Encoder(ReadOnlySpan<byte> text, ushort[]? longs, ushort[]? shorts, ReadOnlySpan<byte> value, Span<byte> output)
    {
        private readonly ReadOnlySpan<byte> text = text;
        private readonly ReadOnlySpan<byte> value = value;
        private readonly Span<byte> output = output;
        private int written;
        private int literalsFrom;

        /// <summary>Bytes written, -1 when they do not fit.</summary>
        public int Run()
        {
            Span<int> seen = stackalloc int[1 << 11];
            seen.Clear();
            var last = value.Length - 8;
            int at = 0, distance = 0, misses = 0;
            while (at <= last)
            {
                var next = MemoryMarshal.Read<ulong>(value[at..]);
                var length = 0;
                if (distance != 0 && At(at - distance, (uint)next)) length = MatchLength(at, distance);
                ref var own = ref seen[LongHash(next) >> (LongBits - 11)];
                if (length < 16)
                {
                    Try(longs![LongHash(next)] - 1 - text.Length, at, (uint)next, 8, ref length, ref distance);
                    Try(own - 1, at, (uint)next, 8, ref length, ref distance);
                    if (length == 0) Try(shorts![ShortHash((uint)next)] - 1 - text.Length, at, (uint)next, MinMatch, ref length, ref distance);
                }

                own = at + 1;
                if (length == 0)
                {
                    at += 1 + (misses++ >> 6);
                    continue;
                }

                misses = 0;
                while (at > literalsFrom && at - 1 - distance is var before && before >= -text.Length && (before >= 0 ? value[before] : text[text.Length + before]) == value[at - 1])
                {
                    at--;
                    length++;
                }

                if (!Emit(at - literalsFrom, length, distance)) return -1;
                at += length;
                literalsFrom = at;
            }

            return Emit(value.Length - literalsFrom, 0, 0) ? written : -1;
        }

        /// <summary>Takes the place when it gives a longer copy. Places before 0 lie in the dictionary, its end at 0.</summary>
        private void Try(int place, int at, uint next, int atLeast, ref int length, ref int distance)
        {
            // "None" is -1 in the value's own table, where no copy begins, and one before the dictionary's beginning in the others.
            if (place >= at || at - place > MaxDistance || !At(place, next)) return;
            var found = MatchLength(at, at - place);
            if (found < atLeast || found <= length) return;
            (length, distance) = (found, at - place);
        }

        /// <summary>Whether the four bytes at a place are these; a copy does not begin astride the dictionary's end.</summary>
        private readonly bool At(int place, uint bytes)
        {
            if (place >= 0) return MemoryMarshal.Read<uint>(value[place..]) == bytes;
            return place >= -text.Length && place <= -4 && MemoryMarshal.Read<uint>(text[(text.Length + place)..]) == bytes;
        }

        private readonly int MatchLength(int at, int distance)
        {
            var place = at - distance;
            if (place >= 0) return Common(value[place..], value[at..]);
            var before = Common(text[(text.Length + place)..], value[at..]);
            return before < -place ? before : before + Common(value, value[(at + before)..]);
        }

        private static int Common(ReadOnlySpan<byte> a, ReadOnlySpan<byte> b)
        {
            var count = Math.Min(a.Length, b.Length);
            var i = 0;
            for (; i + 8 <= count; i += 8)
            {
                var differing = MemoryMarshal.Read<ulong>(a[i..]) ^ MemoryMarshal.Read<ulong>(b[i..]);
                if (differing != 0) return i + (BitOperations.TrailingZeroCount(differing) >> 3);
            }

            while (i < count && a[i] == b[i]) i++;
            return i;
        }

        /// <summary>Writes literals and a copy (none when length is 0); false when there is no room.</summary>
        private bool Emit(int literals, int length, int distance)
        {
            if (output.Length - written < literals + (literals / 255) + (length / 255) + 5) return false;
            var copy = length == 0 ? 0 : length - MinMatch;
            output[written++] = (byte)((Math.Min(literals, 15) << 4) | Math.Min(copy, 15));
            Extend(literals);
            value.Slice(literalsFrom, literals).CopyTo(output[written..]);
            written += literals;
            if (length == 0) return true;
            Extend(copy);
            BinaryPrimitives.WriteUInt16LittleEndian(output[written..], (ushort)distance);
            written += 2;
            return true;
        }

        private void Extend(int count)
        {
            if (count < 15) return;
            for (count -= 15; count >= 255; count -= 255) output[written++] = 255;
            output[written++] = (byte)count;
        }
    }
}
