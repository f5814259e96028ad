using System.Text.Json;

namespace FuncStash.Bench.Kills;

/// <summary>What the server itself says at the end: the final states in its log (protocol#logs), and its dead letters.</summary>
/// <param name="States">by message id; one each, if all is well</param>
/// <param name="DeadLetters">message ids, by entry</param>
internal sealed record Ledger(ILookup<string, string> States, IReadOnlyList<string> DeadLetters)
{
    public static async Task<Ledger> ReadAsync(Target target, CancellationToken end)
    {
        var states = new List<(string Id, string State)>();
        await foreach (var entry in PagesAsync(
            target, "v2/events?state=DELIVERED,FAILED,CANCELED&order=earliestFirst&count=1000", "events", end))
            states.Add((entry.GetProperty("messageId").GetString()!, entry.GetProperty("state").GetString()!));
        var letters = new List<string>();
        await foreach (var letter in PagesAsync(target, "v2/dlq?count=100", "messages", end))
            letters.Add(letter.GetProperty("messageId").GetString()!);
        return new Ledger(states.ToLookup(entry => entry.Id, entry => entry.State), letters);
    }

    private static async IAsyncEnumerable<JsonElement> PagesAsync(
        Target target, string path, string list, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken end)
    {
        for (string? cursor = ""; cursor is not null;)
        {
            var next = cursor.Length == 0 ? path : path + "&cursor=" + Uri.EscapeDataString(cursor);
            var answer = await target.InsistAsync(HttpMethod.Get, next, null, [], end);
            using var page = JsonDocument.Parse(answer.Body);
            foreach (var item in page.RootElement.GetProperty(list).EnumerateArray())
                yield return item;
            cursor = page.RootElement.TryGetProperty("cursor", out var more) ? more.GetString() : null;
        }
    }
}
