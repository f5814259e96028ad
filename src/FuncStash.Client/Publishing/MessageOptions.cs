namespace FuncStash.Client;

/// <summary>What a message can be told, however it comes to be: published, enqueued, or made by a schedule.</summary>
public abstract class MessageOptions : DeliveryOptions
{
    private protected MessageOptions()
    {
    }

    /// <summary>Is told the outcome of every attempt.</summary>
    public CallbackOptions? Callback { get; set; }

    /// <summary>Is told when the message has failed for good.</summary>
    public CallbackOptions? FailureCallback { get; set; }

    /// <summary>Labels, by which messages and logs are found again; they have no commas.</summary>
    public IReadOnlyList<string>? Labels { get; set; }

    /// <summary>What lists and logs do not show.</summary>
    public RedactOptions? Redact { get; set; }

    internal override void Write(SettingHeaders headers)
    {
        base.Write(headers);
        Callback?.WriteTo(headers, "Callback");
        FailureCallback?.WriteTo(headers, "Failure-Callback");
        if (Labels is { Count: > 0 })
        {
            headers.Set("Label", Labels.FirstOrDefault(label => label.Contains(',', StringComparison.Ordinal)) is { } wrong
                ? throw new ArgumentException($"The label '{wrong}' has a comma, which would make two of it.")
                : string.Join(',', Labels));
        }

        headers.Set("Redact-Fields", Redact?.ToText());
    }
}
