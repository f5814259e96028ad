using FuncStash.Console.Sending;
using FuncStash.Console.Serving;
using FuncStash.Headers;
using FuncStash.Publishing;
using FuncStash.Settings;
using FuncStash.Wire;

namespace FuncStash.Console.DeadLetters;

/// <summary>Reads what is to be changed of dead letters that are sent again, and refuses it before any of them is.</summary>
public sealed class RetryChanges(PublishCheck check, FuncStashOptions options)
{
    /// <summary>The fields of the form.</summary>
    public static IEnumerable<string> Names => SendOptions.All.Where(option => option.IsOfRetries).Select(option => option.Name);

    /// <returns>The changes; or why there are none, for the form that they were typed into.</returns>
    public async ValueTask<(PublishSettings Changes, RefusedChanges? Refused)> ReadAsync(ConsoleCall call)
    {
        var typed = new Dictionary<string, string>();
        foreach (var name in Names)
        {
            if (call.Field(name) is { } value)
                typed[name] = value;
        }
        var reader = new PublishSettingsReader(options);
        try
        {
            foreach (var (name, value) in typed)
                reader.Read(name, HeaderValue.Of(value));
            var changes = reader.ToNewSettings();
            await check.SettingsAsync(changes, "a dead letter is sent again once, it cannot become a schedule", call.Aborted);
            return (changes, null);
        }
        catch (QStashException refusal)
        {
            return (new PublishSettings(), new RefusedChanges(typed, FieldRefusal.Of(refusal.Message), refusal.Status));
        }
    }
}

/// <summary>Changes that the service refuses.</summary>
/// <param name="Typed">What was typed, by the names of the fields.</param>
/// <param name="Refusal">Why it is refused, and at which field.</param>
/// <param name="Status">The status of the refusal.</param>
public sealed record RefusedChanges(IReadOnlyDictionary<string, string> Typed, FieldRefusal Refusal, int Status);
