using System.Globalization;

namespace FuncStash.Client;

/// <summary>Which messages of the dead letter queue; its times are those of the final failure.</summary>
public sealed record DlqFilter : MessageFilter
{
    /// <summary>The id of one message.</summary>
    public string? MessageId { get; init; }

    /// <summary>HTTP statuses of the last attempt.</summary>
    public IReadOnlyList<int>? ResponseStatuses { get; init; }

    internal override QueryText AddTo(QueryText query) => base.AddTo(query)
        .Add("messageId", MessageId)
        .Add("responseStatus", ResponseStatuses?.Select(status => status.ToString(CultureInfo.InvariantCulture)).ToArray());
}
