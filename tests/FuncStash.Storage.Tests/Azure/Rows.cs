namespace FuncStash.Storage.Tests;

internal static class Rows
{
    public static Entity Row(string rowKey, long number) => new("p", rowKey, new Dictionary<string, object> { ["N"] = number });
}
