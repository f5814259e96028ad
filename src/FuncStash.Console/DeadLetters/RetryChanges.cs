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
    /// <exception cref="QStashException">400, which names the setting.</exception>
    public async ValueTask<PublishSettings> ReadAsync(ConsoleCall call)
    {
        var reader = new PublishSettingsReader(options);
        foreach (var option in SendOptions.All.Where(option => option.IsOfRetries))
        {
            if (call.Field(option.Name) is { } value)
                reader.Read(option.Name, HeaderValue.Of(value));
        }
        var changes = reader.ToSettings();
        await check.SettingsAsync(changes, "a dead letter is sent again once, it cannot become a schedule", call.Aborted);
        return changes;
    }
}
