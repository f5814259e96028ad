using FuncStash.Console.Serving;
using FuncStash.Wire;

namespace FuncStash.Console.Parts;

/// <summary>A form that the service refused, to be shown again with what was typed.</summary>
/// <param name="Reason">Why.</param>
/// <param name="Status">The status of the refusal.</param>
/// <param name="Typed">What was typed, by the names of the fields.</param>
public sealed record RefusedForm(string Reason, int Status, IReadOnlyDictionary<string, string> Typed)
{
    public static RefusedForm Of(ConsoleCall call, QStashException refusal) => new(
        refusal.Message, refusal.Status, call.Form.ToDictionary(field => field.Key, field => field.Value is [.., { } last] ? last : "", StringComparer.Ordinal));

    /// <summary>What was typed into a field; empty where nothing was.</summary>
    public string this[string field] => Typed.GetValueOrDefault(field, "");

    /// <summary>What a field says, to those who do not see the form, where this was refused.</summary>
    /// <param name="refused">The refused form; null where none was.</param>
    /// <param name="reason">The id of the element that tells why.</param>
    public static IReadOnlyDictionary<string, object>? Marks(RefusedForm? refused, string reason) =>
        refused is null ? null : new Dictionary<string, object> { ["aria-invalid"] = "true", ["aria-describedby"] = reason };
}
