namespace FuncStash.Console.Sending;

/// <param name="Form">What stands in the form.</param>
/// <param name="Refusal">Why it was not sent.</param>
/// <param name="EchoUrl">The destination to try things with; null where there is none.</param>
/// <param name="Samples">The same request as programs; none while it cannot be read.</param>
public sealed record SendModel(SendForm Form, FieldRefusal? Refusal, string? EchoUrl, IReadOnlyList<CodeSample> Samples)
{
    /// <summary>The refusal of a field; null where it is not refused.</summary>
    public string? RefusalOf(string field) => Refusal is { } refusal && refusal.Field == field ? refusal.Text : null;
}
