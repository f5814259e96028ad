using System.Text.Json.Nodes;
using FuncStash.Client;

namespace FuncStash.Examples;

/// <summary>Calls a URL, and takes what it answers from the callback.</summary>
internal static class Callback
{
    public static async Task RunAsync(string url)
    {
        var client = new QStashClient(); // reads QSTASH_URL and QSTASH_TOKEN
        var answered = new TaskCompletionSource<string>();
        await using var app = WebApplication.CreateSlimBuilder().Build();
        app.Urls.Add($"http://127.0.0.1:{Environment.GetEnvironmentVariable("PORT") ?? "0"}");
        app.MapPost("/answered", (JsonNode callback) =>
        {
            var body = Convert.FromBase64String((string)callback["body"]!); // the answer's body is base64
            answered.TrySetResult($"answered {callback["status"]}: {System.Text.Encoding.UTF8.GetString(body)}");
        });
        await app.StartAsync();

        var callback = app.Urls.Single() + "/answered";
        await client.PublishJsonAsync(url, new { question = "how many are in stock?" }, new PublishOptions
        {
            Callback = callback,
            FailureCallback = callback, // when all retries are used up
        });
        Console.WriteLine(await answered.Task);
    }
}
