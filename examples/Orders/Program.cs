// A shop whose orders are shipped by messages: it publishes to itself, and only the service can call /ship.
// Reads QSTASH_URL, QSTASH_TOKEN, QSTASH_CURRENT_SIGNING_KEY and QSTASH_NEXT_SIGNING_KEY.
using System.Text.Json.Serialization;
using FuncStash.AspNetCore;
using FuncStash.Client;
using Microsoft.Extensions.Caching.Memory;

var builder = WebApplication.CreateSlimBuilder(args);
builder.Services.ConfigureHttpJsonOptions(json => json.SerializerOptions.TypeInfoResolverChain.Insert(0, ShopJson.Default));
builder.Services.AddQStashClient();
builder.Services.Configure<QStashSignatureOptions>(options => options.ClockSkew = TimeSpan.FromSeconds(5));
builder.Services.AddMemoryCache();
builder.Services.AddSingleton<IQStashReplayCache, UsedSignatures>();

var app = builder.Build();

app.MapPost("/orders", async (Order order, QStashClient qstash, HttpRequest request) =>
{
    var published = await qstash.PublishJsonAsync(
        $"{request.Scheme}://{request.Host}/ship", order, ShopJson.Default.Order,
        new() { Retries = 5, DeduplicationId = $"order-{order.Id}" });
    return Results.Text(published.MessageId, statusCode: StatusCodes.Status202Accepted);
});

app.MapPost("/ship", (Order order, QStashDelivery delivery) =>
{
    Console.WriteLine($"Shipped {order.Item} of order {order.Id}: {delivery.MessageId}, attempt {delivery.Retried + 1}.");
    return Results.Ok();
}).RequireQStashSignature();

app.Run();

// For an app of one instance: the same request, sent again by one who saw it, is refused.
internal sealed class UsedSignatures(IMemoryCache cache) : IQStashReplayCache
{
    private readonly Lock _lock = new();

    public ValueTask<bool> TryUseAsync(string tokenId, DateTimeOffset expiresAt, CancellationToken cancellationToken)
    {
        lock (_lock)
        {
            if (cache.TryGetValue(tokenId, out _))
                return new(false);
            cache.Set(tokenId, true, expiresAt);
            return new(true);
        }
    }
}

internal sealed record Order(int Id, string Item);

[JsonSourceGenerationOptions(System.Text.Json.JsonSerializerDefaults.Web)]
[JsonSerializable(typeof(Order))]
internal sealed partial class ShopJson : JsonSerializerContext;
