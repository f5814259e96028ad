namespace FuncStash.Client;

/// <summary>Lists of ids in the query of a call.</summary>
internal static class Ids
{
    /// <summary>How many go in one call: the service takes no more at a time.</summary>
    public const int PerCall = 100;
}
