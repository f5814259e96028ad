using FuncStash.Messages;

namespace FuncStash.Headers;

/// <summary>The way back: settings as the headers that ask for them (protocol#headers).</summary>
public static class PublishSettingsWriter
{
    /// <summary>The headers that <see cref="PublishSettingsReader"/> makes the same settings of.</summary>
    public static IEnumerable<(string Name, string Value)> Write(PublishSettings settings)
    {
        foreach (var header in HeaderTable.Settings.SelectMany(header => header.Write(settings)))
            yield return header;
        foreach (var (name, values) in settings.Header)
        {
            foreach (var value in values)
                yield return (HeaderTable.ForwardPrefix + name, value);
        }
    }

    /// <summary>The settings that a message was published with, as far as they are its own: not when, and not against what it was deduplicated.</summary>
    public static PublishSettings SettingsOf(Message message) => new()
    {
        Method = message.Method,
        Header = message.Header,
        Retries = message.MaxRetries,
        RetryDelay = message.RetryDelay,
        Timeout = message.TimeoutMs is { } ms ? TimeSpan.FromMilliseconds(ms) : null,
        Callback = message.Callback,
        FailureCallback = message.FailureCallback,
        Labels = message.Labels,
        FlowControl = message.FlowControl,
        Redact = message.Redact,
        QueueName = message.QueueName,
    };
}
