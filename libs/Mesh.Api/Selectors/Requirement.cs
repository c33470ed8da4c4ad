using System.Globalization;

namespace Mesh.Api.Selectors;

/// <summary>How a requirement compares a label with its values.</summary>
public enum SelectorOperator
{
    /// <summary>key = value.</summary>
    Equals,

    /// <summary>key == value.</summary>
    DoubleEquals,

    /// <summary>key != value; holds when the label is absent.</summary>
    NotEquals,

    /// <summary>key in (a,b).</summary>
    In,

    /// <summary>key notin (a,b); holds when the label is absent.</summary>
    NotIn,

    /// <summary>key.</summary>
    Exists,

    /// <summary>!key.</summary>
    DoesNotExist,

    /// <summary>key > integer.</summary>
    GreaterThan,

    /// <summary>key &lt; integer.</summary>
    LessThan,
}

/// <summary>One condition of a label selector.</summary>
public sealed class Requirement
{
    private static readonly string[] OperatorTexts = ["=", "==", "!=", "in", "notin", "exists", "!", "gt", "lt"];

    internal Requirement(string key, SelectorOperator op, IReadOnlyList<string> values)
    {
        Key = key;
        Operator = op;
        Values = values;
    }

    /// <summary>The label's key.</summary>
    public string Key { get; }

    /// <summary>The comparison.</summary>
    public SelectorOperator Operator { get; }

    /// <summary>The values compared with.</summary>
    public IReadOnlyList<string> Values { get; }

    /// <summary>Builds a requirement. Throws FormatException with Kubernetes' message when key or values break a rule.</summary>
    public static Requirement Create(string key, SelectorOperator op, IReadOnlyList<string> values)
    {
        var errors = Check(key, op, values);
        return errors.Count == 0 ? new(key, op, values) : throw new FormatException(FieldError.Aggregate(errors));
    }

    /// <summary>True when a label set of this lookup fulfils the requirement.</summary>
    public bool Matches<TLabels>(TLabels labels)
        where TLabels : ILabels
    {
        var present = labels.TryGet(Key, out var value);
        return Operator switch
        {
            SelectorOperator.Exists => present,
            SelectorOperator.DoesNotExist => !present,
            SelectorOperator.NotEquals or SelectorOperator.NotIn => !present || !Has(value!),
            SelectorOperator.GreaterThan => present && Compare(value!) > 0,
            SelectorOperator.LessThan => present && Compare(value!) < 0,
            _ => present && Has(value!),
        };
    }

    /// <summary>The requirement in the selector grammar.</summary>
    public override string ToString()
    {
        var values = string.Join(',', Values.Order(StringComparer.Ordinal));
        return Operator switch
        {
            SelectorOperator.Exists => Key,
            SelectorOperator.DoesNotExist => "!" + Key,
            SelectorOperator.In => $"{Key} in ({values})",
            SelectorOperator.NotIn => $"{Key} notin ({values})",
            SelectorOperator.GreaterThan => $"{Key}>{values}",
            SelectorOperator.LessThan => $"{Key}<{values}",
            _ => Key + OperatorTexts[(int)Operator] + values,
        };
    }

    private static List<FieldError> Check(string key, SelectorOperator op, IReadOnlyList<string> values)
    {
        var errors = new List<FieldError>();
        var keyErrors = Names.QualifiedName(key);
        if (keyErrors.Count > 0)
            errors.Add(FieldError.Invalid("key", key, string.Join("; ", keyErrors)));

        FieldPath path = "values";
        switch (op)
        {
            case SelectorOperator.In or SelectorOperator.NotIn when values.Count == 0:
                errors.Add(FieldError.Invalid(path, values, "for 'in', 'notin' operators, values set can't be empty"));
                break;
            case SelectorOperator.Equals or SelectorOperator.DoubleEquals or SelectorOperator.NotEquals when values.Count != 1:
                errors.Add(FieldError.Invalid(path, values, "exact-match compatibility requires one single value"));
                break;
            case SelectorOperator.Exists or SelectorOperator.DoesNotExist when values.Count != 0:
                errors.Add(FieldError.Invalid(path, values, "values set must be empty for exists and does not exist"));
                break;
            case SelectorOperator.GreaterThan or SelectorOperator.LessThan:
                if (values.Count != 1)
                    errors.Add(FieldError.Invalid(path, values, "for 'Gt', 'Lt' operators, exactly one value is required"));
                for (var i = 0; i < values.Count; i++)
                {
                    if (!TryInteger(values[i], out _))
                        errors.Add(FieldError.Invalid(path.Index(i), values[i], "for 'Gt', 'Lt' operators, the value must be an integer"));
                }

                break;
        }

        for (var i = 0; i < values.Count; i++)
        {
            var valueErrors = Names.LabelValue(values[i]);
            if (valueErrors.Count > 0)
                errors.Add(FieldError.Invalid(path.Index(i).Key(key), values[i], string.Join("; ", valueErrors)));
        }

        return errors;
    }

    private static bool TryInteger(string text, out long value) => long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out value);

    private bool Has(string value)
    {
        for (var i = 0; i < Values.Count; i++)
        {
            if (Values[i] == value)
                return true;
        }

        return false;
    }

    // A label that is no number fulfils neither Gt nor Lt.
    private int Compare(string label) => TryInteger(label, out var left) && TryInteger(Values[0], out var right) ? left.CompareTo(right) : 0;
}
