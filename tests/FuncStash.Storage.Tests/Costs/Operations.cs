using System.Globalization;

namespace FuncStash.Storage.Tests.Costs;

/// <summary>Storage operations by kind, as a number for each message. Polls of an empty queue belong to no message.</summary>
internal sealed record Operations(IReadOnlyDictionary<string, double> Counts)
{
    /// <summary>Dollars for a million operations: Azure's list prices for locally redundant storage in the United States.</summary>
    private const double QueuePrice = 0.40, TablePrice = 0.036, BlobWritePrice = 5.50, BlobReadPrice = 0.44;

    private static readonly string[] s_order =
        ["put", "insert", "upsert", "transaction", "send", "receive", "get", "query", "replace", "update", "delete"];

    public double Queue => Sum("queue ");

    public double Table => Sum("table ");

    public double Blob => Sum("blob ");

    /// <summary>Dollars for a million messages. Deleting a blob is free.</summary>
    public double Price => (Queue * QueuePrice) + (Table * TablePrice) + (Sum("blob put") * BlobWritePrice) + (Sum("blob get") * BlobReadPrice);

    public static Operations Between(
        IReadOnlyDictionary<string, long> before, IReadOnlyDictionary<string, long> after, int messages) =>
        new(after.Where(pair => pair.Key != "queue empty receive")
            .Select(pair => (pair.Key, Count: (double)(pair.Value - before.GetValueOrDefault(pair.Key)) / messages))
            .Where(pair => pair.Count != 0)
            .ToDictionary(pair => pair.Key, pair => pair.Count));

    /// <summary>What this and <paramref name="other"/> cost together.</summary>
    public Operations And(Operations other) => new(Counts.Keys.Union(other.Counts.Keys)
        .ToDictionary(key => key, key => Counts.GetValueOrDefault(key) + other.Counts.GetValueOrDefault(key)));

    /// <summary>What this costs more than <paramref name="other"/>.</summary>
    public Operations Beyond(Operations other) =>
        new(Counts.Keys.Union(other.Counts.Keys)
            .Select(key => (key, Count: Counts.GetValueOrDefault(key) - other.Counts.GetValueOrDefault(key)))
            .Where(pair => Math.Abs(pair.Count) > 1e-9)
            .ToDictionary(pair => pair.key, pair => pair.Count));

    /// <summary>The row of a Markdown table.</summary>
    public string ToRow(string name) => string.Create(CultureInfo.InvariantCulture,
        $"| {name} | {Cell("queue ", Queue)} | {Cell("table ", Table)} | {Cell("blob ", Blob)} | {Price:0.00} |");

    private string Cell(string service, double sum)
    {
        var kinds = Counts.Where(pair => pair.Key.StartsWith(service, StringComparison.Ordinal))
            .OrderBy(pair => Array.IndexOf(s_order, pair.Key[service.Length..]))
            .Select(pair => (pair.Value == 1 ? "" : Number(pair.Value) + " ") + pair.Key[service.Length..]);
        return sum == 0 ? "0" : $"{Number(sum)}: {string.Join(", ", kinds)}";
    }

    private static string Number(double value) => value.ToString("0.##", CultureInfo.InvariantCulture);

    private double Sum(string prefix) =>
        Counts.Where(pair => pair.Key.StartsWith(prefix, StringComparison.Ordinal)).Sum(pair => pair.Value);
}
