namespace FuncStash.Client;

/// <summary>What lists, logs and the dead letter queue show only as a hash. Deliveries carry everything.</summary>
public sealed class RedactOptions
{
    /// <summary>Whether the body is hidden.</summary>
    public bool Body { get; set; }

    /// <summary>Whether the values of all headers are hidden.</summary>
    public bool AllHeaders { get; set; }

    /// <summary>The names of the headers whose values are hidden, where not all are.</summary>
    public IReadOnlyList<string>? Headers { get; set; }

    internal string? ToText()
    {
        var parts = new List<string>();
        if (Body)
            parts.Add("body");
        if (AllHeaders)
            parts.Add("header");
        else if (Headers is not null)
            parts.AddRange(Headers.Select(name => $"header[{name}]"));
        return parts.Count == 0 ? null : string.Join(',', parts);
    }
}
