namespace FuncStash.Client;

/// <summary>In which order a list is answered, by the time of what is listed.</summary>
public enum ListOrder
{
    /// <summary>The earliest comes first.</summary>
    EarliestFirst,

    /// <summary>The latest comes first.</summary>
    LatestFirst,
}

internal static class ListOrders
{
    /// <exception cref="ArgumentOutOfRangeException">It is no order the service knows.</exception>
    public static string Text(this ListOrder order) => order switch
    {
        ListOrder.EarliestFirst => "earliestFirst",
        ListOrder.LatestFirst => "latestFirst",
        _ => throw new ArgumentOutOfRangeException(nameof(order), order, "It is no order of lists."),
    };
}
