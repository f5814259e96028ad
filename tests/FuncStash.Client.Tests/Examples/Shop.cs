using System.Text;

namespace FuncStash.Client.Tests.Examples;

/// <summary>The example <c>examples/Orders</c> as its own process, which publishes to the embedded server and is delivered to.</summary>
internal sealed class Shop : IAsyncDisposable
{
    private readonly ChildProcess _process;
    private readonly HttpClient _http = new(new SocketsHttpHandler());

    private Shop(ChildProcess process) => _process = process;

    public string Url { get; private set; } = "";

    public string Output => _process.Output;

    public static Task<Shop> StartAsync(EmbeddedServer server) => StartAsync(
        server, "dotnet", Repository.Built("examples/Orders", "Orders.dll"));

    public static async Task<Shop> StartAsync(EmbeddedServer server, string file, params string[] arguments)
    {
        var settings = new Dictionary<string, string>(server.Settings) { ["ASPNETCORE_URLS"] = "http://127.0.0.1:0" };
        var shop = new Shop(ChildProcess.Start(file, arguments, settings!));
        const string Ready = "Now listening on: ";
        shop.Url = (await shop._process.WaitForLineAsync(line => line.Contains(Ready, StringComparison.Ordinal))).Split(Ready)[1].Trim();
        return shop;
    }

    /// <summary>The id of the message that ships the order.</summary>
    public async Task<string> OrderAsync(int id, string item)
    {
        using var order = new StringContent($$"""{"id":{{id}},"item":"{{item}}"}""", Encoding.UTF8, "application/json");
        var response = await _http.PostAsync(Url + "/orders", order);
        Assert.True(response.IsSuccessStatusCode, await response.Content.ReadAsStringAsync());
        return await response.Content.ReadAsStringAsync();
    }

    public Task ShippedAsync(int id, string item, string messageId) =>
        _process.WaitForLineAsync(line => line == $"Shipped {item} of order {id}: {messageId}, attempt 1.");

    public Task<HttpResponseMessage> SendAsync(HttpRequestMessage request) => _http.SendAsync(request);

    public async ValueTask DisposeAsync()
    {
        _http.Dispose();
        await _process.DisposeAsync();
    }
}
