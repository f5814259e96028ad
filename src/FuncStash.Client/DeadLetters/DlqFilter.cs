using System.Globalization;

namespace FuncStash.Client;

/// <summary>Which messages of the dead letter queue; its times are those of the final failure.</summary>
public sealed record DlqFilter : MessageFilter
{
    /// <summary>The id of one message.</summary>
    public string? MessageId { get; init; }

    /// <summary>HTTP statuses of the last attempt.</summary>
    public IReadOnlyList<int>? ResponseStatuses { get; init; }

    /// <summary>
    /// The error of the last attempt, compared exactly (<see cref="DlqMessage.Error"/>). FuncStash has it; QStash does not, where it
    /// matches nothing.
    /// </summary>
    public string? Error { get; init; }

    internal override QueryText AddTo(QueryText query) => base.AddTo(query)
        .Add("messageId", MessageId)
        .Add("responseStatus", ResponseStatuses?.Select(status => status.ToString(CultureInfo.InvariantCulture)).ToArray())
        .Add("error", Error is null ? null : [Error]);

    // A service that does not know the condition answers with all the others as well.
    internal bool Matches(DlqMessage message) => Error is null || message.Error == Error;
}
