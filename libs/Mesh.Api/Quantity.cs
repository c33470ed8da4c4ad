using System.Globalization;

namespace Mesh.Api;

/// <summary>How a quantity was written, and so how it is written back.</summary>
public enum QuantityFormat
{
    /// <summary>Powers of ten by suffix: n u m (none) k M G T P E.</summary>
    DecimalSI,

    /// <summary>Powers of two by suffix: Ki Mi Gi Ti Pi Ei.</summary>
    BinarySI,

    /// <summary>Powers of ten by exponent: 12e6.</summary>
    DecimalExponent,
}

/// <summary>
/// An amount of a resource ("250m", "1Gi", "1e3"), exact to one billionth. Smaller parts are rounded away from zero and
/// amounts past 2^63-1 are cut there, as Kubernetes' resource.Quantity does.
/// </summary>
public readonly struct Quantity : IEquatable<Quantity>, IComparable<Quantity>
{
    // One unit is 10^9 nanos; 2^63 units are 9.3e27 nanos, far inside Int128, so sums never overflow.
    private static readonly Int128 NanosPerUnit = 1_000_000_000;
    private static readonly Int128 MaxNanos = (Int128)long.MaxValue * NanosPerUnit;

    private Quantity(Int128 nanos, QuantityFormat format)
    {
        Nanos = nanos;
        Format = format;
    }

    /// <summary>No amount.</summary>
    public static Quantity Zero => default;

    /// <summary>The amount in billionths of a unit.</summary>
    public Int128 Nanos { get; }

    /// <summary>The notation used when printed.</summary>
    public QuantityFormat Format { get; }

    /// <summary>True for zero.</summary>
    public bool IsZero => Nanos == 0;

    /// <summary>-1, 0 or 1.</summary>
    public int Sign => Int128.Sign(Nanos);

    /// <summary>Whole units, rounded away from zero, limited to the range of long.</summary>
    public long Value => ScaledTo(NanosPerUnit);

    /// <summary>Thousandths, rounded away from zero, limited to the range of long.</summary>
    public long MilliValue => ScaledTo(1_000_000);

    /// <summary>True when the amount is a whole number of units.</summary>
    public bool IsInteger => Nanos % NanosPerUnit == 0;

    /// <summary>An amount of whole units.</summary>
    public static Quantity FromValue(long value, QuantityFormat format = QuantityFormat.DecimalSI) => new(value * NanosPerUnit, format);

    /// <summary>An amount of thousandths.</summary>
    public static Quantity FromMilli(long milli, QuantityFormat format = QuantityFormat.DecimalSI) => new(milli * (Int128)1_000_000, format);

    /// <summary>An amount of billionths.</summary>
    public static Quantity FromNanos(Int128 nanos, QuantityFormat format = QuantityFormat.DecimalSI) => new(nanos, format);

    /// <summary>Reads a quantity. Throws FormatException with Kubernetes' message.</summary>
    public static Quantity Parse(string text) =>
        QuantityParser.TryParse(text, out var value, out var error) ? value : throw new FormatException(error);

    /// <summary>Reads a quantity; false when it is not one.</summary>
    public static bool TryParse(string? text, out Quantity value) => QuantityParser.TryParse(text, out value, out _);

    /// <summary>Reads a quantity; <paramref name="error"/> is Kubernetes' message when it is not one.</summary>
    public static bool TryParse(string? text, out Quantity value, out string? error) => QuantityParser.TryParse(text, out value, out error);

    /// <summary>Rewrites a quantity the canonical way ("1000m" is "1"); text that is no quantity comes back unchanged.</summary>
    public static string Canonicalize(string text) => TryParse(text, out var value) ? value.ToString() : text;

    /// <summary>Sum; the left operand's notation unless it is zero.</summary>
    public static Quantity operator +(Quantity a, Quantity b) => new(a.Nanos + b.Nanos, a.IsZero ? b.Format : a.Format);

    /// <summary>Difference; the left operand's notation unless it is zero.</summary>
    public static Quantity operator -(Quantity a, Quantity b) => new(a.Nanos - b.Nanos, a.IsZero ? b.Format : a.Format);

    /// <summary>The opposite amount.</summary>
    public static Quantity operator -(Quantity a) => new(-a.Nanos, a.Format);

    /// <summary>The amount taken several times.</summary>
    public static Quantity operator *(Quantity a, long times) => new(a.Nanos * times, a.Format);

    /// <summary>Order by amount.</summary>
    public static bool operator <(Quantity a, Quantity b) => a.Nanos < b.Nanos;

    /// <summary>Order by amount.</summary>
    public static bool operator >(Quantity a, Quantity b) => a.Nanos > b.Nanos;

    /// <summary>Order by amount.</summary>
    public static bool operator <=(Quantity a, Quantity b) => a.Nanos <= b.Nanos;

    /// <summary>Order by amount.</summary>
    public static bool operator >=(Quantity a, Quantity b) => a.Nanos >= b.Nanos;

    /// <summary>Same amount, whatever the notation.</summary>
    public static bool operator ==(Quantity a, Quantity b) => a.Nanos == b.Nanos;

    /// <summary>Another amount.</summary>
    public static bool operator !=(Quantity a, Quantity b) => a.Nanos != b.Nanos;

    /// <inheritdoc/>
    public int CompareTo(Quantity other) => Nanos.CompareTo(other.Nanos);

    /// <inheritdoc/>
    public bool Equals(Quantity other) => Nanos == other.Nanos;

    /// <inheritdoc/>
    public override bool Equals(object? obj) => obj is Quantity other && Equals(other);

    /// <inheritdoc/>
    public override int GetHashCode() => Nanos.GetHashCode();

    /// <summary>The amount as a floating-point number.</summary>
    public double ToDouble() => (double)Nanos / 1e9;

    /// <summary>The canonical text: no fraction, the largest suffix that keeps a whole number.</summary>
    public override string ToString()
    {
        if (Nanos == 0)
            return "0";

        // Small or fractional binary amounts lose nothing in decimal, so they are shown there.
        var format = Format;
        if (format == QuantityFormat.BinarySI && (!IsInteger || Int128.Abs(Nanos) < 1024 * NanosPerUnit))
            format = QuantityFormat.DecimalSI;

        return format == QuantityFormat.BinarySI ? BinaryText() : DecimalText(format);
    }

    internal static Quantity Capped(Int128 nanos, QuantityFormat format) =>
        new(nanos > MaxNanos ? MaxNanos : nanos < -MaxNanos ? -MaxNanos : nanos, format);

    private static Int128 DivideAwayFromZero(Int128 value, Int128 by)
    {
        var (quotient, remainder) = Int128.DivRem(value, by);
        return remainder == 0 ? quotient : quotient + Int128.Sign(value);
    }

    private long ScaledTo(Int128 nanosPerPart)
    {
        var parts = DivideAwayFromZero(Nanos, nanosPerPart);
        return parts > long.MaxValue ? long.MaxValue : parts < long.MinValue ? long.MinValue : (long)parts;
    }

    private string BinaryText()
    {
        var mantissa = Nanos / NanosPerUnit;
        var power = 0;
        while (power < 6 && mantissa % 1024 == 0)
        {
            mantissa /= 1024;
            power++;
        }

        return string.Create(CultureInfo.InvariantCulture, $"{mantissa}{QuantityParser.BinarySuffixes[power]}");
    }

    private string DecimalText(QuantityFormat format)
    {
        var mantissa = Nanos;
        var exponent = -9;
        while (exponent < 18 && mantissa % 1000 == 0)
        {
            mantissa /= 1000;
            exponent += 3;
        }

        if (exponent == 0)
            return mantissa.ToString(CultureInfo.InvariantCulture);
        return format == QuantityFormat.DecimalExponent
            ? string.Create(CultureInfo.InvariantCulture, $"{mantissa}e{exponent}")
            : string.Create(CultureInfo.InvariantCulture, $"{mantissa}{QuantityParser.DecimalSuffixes[(exponent + 9) / 3]}");
    }
}
