using FuncStash.DeadLetters;
using FuncStash.Storage;

namespace FuncStash.Tests.DeadLetters;

public sealed class DeadLetterDeleteTests : IAsyncDisposable
{
    private readonly TestService _service = new();

    public ValueTask DisposeAsync() => _service.DisposeAsync();

    [Fact]
    public async Task One_is_deleted_once()
    {
        var id = await AddAsync("a");

        Assert.Equal(200, (await _service.CallAsync("DELETE", $"/v2/dlq/{id}")).Status);
        Assert.Equal(404, (await _service.CallAsync("DELETE", $"/v2/dlq/{id}")).Status);
        Assert.Equal(404, (await _service.CallAsync("GET", $"/v2/dlq/{id}")).Status);
    }

    [Fact]
    public async Task Ids_in_the_query_or_the_body_are_deleted_and_unknown_ones_skipped()
    {
        var (a, b, c) = (await AddAsync("a"), await AddAsync("a"), await AddAsync("a"));

        Assert.Equal("""{"deleted":2}""", (await _service.CallAsync("DELETE", $"/v2/dlq?dlqIds={a}&dlqIds={b}&dlqIds=1-1")).Text);
        Assert.Equal("""{"deleted":1}""", (await _service.CallAsync("DELETE", "/v2/dlq", $$"""{"dlqIds":["{{c}}","{{a}}","x"]}""")).Text);
    }

    [Fact]
    public async Task An_empty_list_of_ids_deletes_nothing()
    {
        await AddAsync("a");
        Assert.Equal("""{"deleted":0}""", (await _service.CallAsync("DELETE", "/v2/dlq", """{"dlqIds":[]}""")).Text);
    }

    [Fact]
    public async Task Filters_delete_what_matches()
    {
        await AddAsync("a");
        await AddAsync("b");

        Assert.Equal("""{"deleted":0}""", (await _service.CallAsync("DELETE", "/v2/dlq?label=none")).Text);
        Assert.Equal("""{"deleted":0}""", (await _service.CallAsync("DELETE", "/v2/dlq?source=workflow")).Text);
        Assert.Equal("""{"deleted":1}""", (await _service.CallAsync("DELETE", "/v2/dlq?label=b&count=100")).Text);
        Assert.Equal(400, (await _service.CallAsync("DELETE", "/v2/dlq?label=")).Status);
    }

    [Fact]
    public async Task Nothing_named_deletes_so_many_at_a_time_and_tells_where_to_go_on()
    {
        for (var i = 0; i < 250; i++)
            await AddAsync("a");

        var first = await _service.CallAsync("DELETE", "/v2/dlq?count=100");
        Assert.Equal(100, (int)first.Json["deleted"]!);
        var second = await _service.CallAsync("DELETE", "/v2/dlq?cursor=" + (string)first.Json["cursor"]!);
        Assert.Equal(100, (int)second.Json["deleted"]!);
        Assert.Equal("""{"deleted":50}""", (await _service.CallAsync("DELETE", "/v2/dlq")).Text);
        Assert.Equal("""{"deleted":0}""", (await _service.CallAsync("DELETE", "/v2/dlq")).Text);
    }

    [Fact]
    public async Task A_payload_of_its_own_goes_with_the_entry()
    {
        var message = _service.NewMessage("https://example.com/") with { Body = new byte[300_000], BodyName = "elsewhere" };
        var id = await _service.AddDeadLetterAsync(message);
        var name = (await _service.Get<DeadLetterStore>().GetAsync(id))!.Message.BodyName!;
        Assert.NotNull(await _service.Get<IStore>().Bodies.GetAsync(name));

        await _service.CallAsync("DELETE", $"/v2/dlq/{id}");

        Assert.Null(await _service.Get<IStore>().Bodies.GetAsync(name));
    }

    private Task<DlqId> AddAsync(string label) => _service.AddDeadLetterAsync(_service.NewMessage("https://example.com/", label));
}
