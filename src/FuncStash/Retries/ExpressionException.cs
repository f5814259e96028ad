namespace FuncStash.Retries;

/// <summary>An expression that cannot be read. It never leaves <see cref="RetryDelayExpression.TryParse"/>.</summary>
#pragma warning disable CA1032 // Without a position it would be of no use.
internal sealed class ExpressionException(string problem, int index) : Exception($"{problem} at character {index + 1}");
#pragma warning restore CA1032
