using FuncStash.Client;

namespace FuncStash.Examples;

/// <summary>A background job: acknowledged at once, delivered for sure.</summary>
internal static class Job
{
    public static async Task RunAsync(string url)
    {
        var client = new QStashClient(); // reads QSTASH_URL and QSTASH_TOKEN

        var published = await client.PublishJsonAsync(
            url, new { task = "send the invoice", order = 7 }, new PublishOptions { Retries = 5, DeduplicationId = "invoice-7" });
        Console.WriteLine(published.MessageId);
    }
}
