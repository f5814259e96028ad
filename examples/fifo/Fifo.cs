using FuncStash.Client;

namespace FuncStash.Examples;

/// <summary>One after the other, in order: the next one waits until the one before has been answered.</summary>
internal static class Fifo
{
    public static async Task RunAsync(string url)
    {
        var client = new QStashClient(); // reads QSTASH_URL and QSTASH_TOKEN

        foreach (var step in (string[])["pack", "label", "ship"])
        {
            var enqueued = await client.EnqueueAsync("orders", url, MessageBody.FromJson(new { order = 7, step }));
            Console.WriteLine(enqueued.MessageId);
        }
    }
}
