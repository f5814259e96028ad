using FuncStash.AspNetCore;

namespace FuncStash.Examples;

/// <summary>An endpoint that takes nothing but what the service has signed.</summary>
internal static class Signature
{
    public static async Task RunAsync()
    {
        // QSTASH_CURRENT_SIGNING_KEY and QSTASH_NEXT_SIGNING_KEY are read at the first request.
        await using var app = WebApplication.CreateSlimBuilder().Build();
        app.Urls.Add($"http://127.0.0.1:{Environment.GetEnvironmentVariable("PORT") ?? "0"}");
        app.MapPost("/", async (HttpRequest request) =>
        {
            using var reader = new StreamReader(request.Body);
            Console.WriteLine($"signed: {await reader.ReadToEndAsync()}");
        }).RequireQStashSignature();
        await app.StartAsync();
        Console.WriteLine(app.Urls.Single() + "/");
        await app.WaitForShutdownAsync();
    }
}
