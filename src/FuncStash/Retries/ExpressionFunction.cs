namespace FuncStash.Retries;

/// <summary>A function that a retry-delay expression may call (protocol#retry-delay).</summary>
/// <param name="Arity">How many arguments it takes; null for one or more.</param>
/// <param name="Apply">Its value; the arguments are as many as <paramref name="Arity"/> says.</param>
internal sealed record ExpressionFunction(int? Arity, Func<double[], double> Apply)
{
    private static readonly Dictionary<string, ExpressionFunction> s_all = new(StringComparer.Ordinal)
    {
        ["pow"] = new(2, x => Math.Pow(x[0], x[1])),
        ["exp"] = new(1, x => Math.Exp(x[0])),
        ["sqrt"] = new(1, x => Math.Sqrt(x[0])),
        ["abs"] = new(1, x => Math.Abs(x[0])),
        ["floor"] = new(1, x => Math.Floor(x[0])),
        ["ceil"] = new(1, x => Math.Ceiling(x[0])),
        ["round"] = new(1, x => Math.Round(x[0], MidpointRounding.AwayFromZero)),
        ["min"] = new(null, x => x.Aggregate(Math.Min)),
        ["max"] = new(null, x => x.Aggregate(Math.Max)),
    };

    /// <summary>The function of that name, null when there is none.</summary>
    public static ExpressionFunction? Named(string name) => s_all.GetValueOrDefault(name);
}
