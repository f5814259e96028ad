namespace FuncStash.Client;

/// <summary>Where and how the outcome of a delivery is told: a message of its own, with a JSON body.</summary>
public sealed class CallbackOptions : DeliveryOptions
{
    /// <summary>A callback to a URL.</summary>
    /// <param name="url">An http or https URL.</param>
    public CallbackOptions(string url)
    {
        ArgumentException.ThrowIfNullOrEmpty(url);
        Url = url;
    }

    /// <summary>The http or https URL that is called.</summary>
    public string Url { get; }

    /// <summary>A callback to a URL, without further settings.</summary>
    /// <param name="url">An http or https URL.</param>
    public static implicit operator CallbackOptions(string url) => new(url);

    internal void WriteTo(SettingHeaders headers, string name)
    {
        headers.Set(name, Url);
        Write(headers.Under(name));
    }
}
