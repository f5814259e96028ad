// What the client can do, one thing after another, against the service of QSTASH_URL and QSTASH_TOKEN; then what a receiver
// does, with QSTASH_CURRENT_SIGNING_KEY.
// The first argument is a URL that messages may be sent to.
using System.Text.Json;
using System.Text.Json.Serialization;
using FuncStash.Client;
using FuncStash.Client.Testing;

var url = args[0];

// Publishing
var client = new QStashClient(); // reads QSTASH_URL and QSTASH_TOKEN

await client.PublishAsync(url, "any text");
await client.PublishAsync(url, new byte[] { 0, 255 });
await client.PublishJsonAsync(url, new Order(42, "chair"), ShopJson.Default.Order, new()
{
    Delay = TimeSpan.FromSeconds(1),
    Retries = 5,
    RetryDelay = "1000 * (1 + retried)", // milliseconds
    Callback = $"{url}/done",
    FailureCallback = new($"{url}/failed") { Headers = { ["X-Tenant"] = "acme" } },
    FlowControl = new("acme") { Rate = 10, Period = TimeSpan.FromMinutes(1) },
    Labels = ["billing"],
    DeduplicationId = "order-42",
});

// Many in one call; each is taken or refused by itself
var results = await client.BatchAsync(
[
    new(url, MessageBody.FromJson(new Order(43, "table"), ShopJson.Default.Order)),
    new(url, "in order, through a queue") { QueueName = "mail" },
]);
foreach (var refused in results.Where(result => result.Error is not null))
    Console.WriteLine(refused.Error);

// One after the other
await client.Queues.UpsertAsync("mail", parallelism: 1);
await client.EnqueueAsync("mail", url, "first");

// By the clock
var scheduleId = await client.Schedules.CreateAsync(url, "CRON_TZ=Europe/Oslo 0 4 * * *", "good night");
await client.Schedules.PauseAsync(scheduleId);
await client.Schedules.DeleteAsync(scheduleId);

// To many
await client.UrlGroups.AddEndpointsAsync("orders", [new($"{url}/billing"), new($"{url}/stock", name: "stock")]);
var fanOut = await client.PublishAsync("orders", "to each of them");
Console.WriteLine($"{fanOut.Messages.Count} messages");

// What became of them, and what failed
await foreach (var entry in client.Logs.ListAsync(new() { Labels = ["billing"] }))
    Console.WriteLine($"{entry.Time:O} {entry.State} {entry.MessageId} {entry.Error}");
await foreach (var message in client.Dlq.RetryWhereAsync(new() { ResponseStatuses = [503] }))
    Console.WriteLine($"sent again as {message.MessageId}");

// One exception for all that can go wrong
try
{
    await client.Messages.GetAsync("msg_unknown");
}
catch (QStashRequestException failure)
{
    Console.WriteLine($"{failure.Status}: {failure.Error}");
}

// What a receiver is sent, as its tests make it...
var signingKey = (await client.SigningKeys.GetAsync()).Current;
var request = new TestSigner(signingKey).NewRequest(url, "a delivery");
var signature = request.Headers.GetValues("Upstash-Signature").Single();
var body = await request.Content!.ReadAsByteArrayAsync();

// ...and what it does with it
var verifier = SignatureVerifier.FromEnvironment(); // QSTASH_CURRENT_SIGNING_KEY and QSTASH_NEXT_SIGNING_KEY
var verification = verifier.Verify(signature, body, url); // the header Upstash-Signature, the body's bytes, the URL called
if (!verification.IsValid)
    Console.WriteLine($"{verification.Problem}: {verification.Reason}"); // such as Expired, Url, Body or Key

internal sealed record Order(int Id, string Item);

[JsonSourceGenerationOptions(JsonSerializerDefaults.Web)]
[JsonSerializable(typeof(Order))]
internal sealed partial class ShopJson : JsonSerializerContext;
