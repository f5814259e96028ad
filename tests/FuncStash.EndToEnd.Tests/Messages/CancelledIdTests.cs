using System.Net;

namespace FuncStash.EndToEnd.Tests.Messages;

/// <summary>A cancelled message frees its deduplication id, however it was cancelled (protocol#deduplication).</summary>
public abstract class CancelledIdTests(HostFixture hosts, NodeSdk sdk) : EndToEndTests(hosts, sdk)
{
    [Theory]
    [InlineData("publish", "/v2/messages/{0}")]
    [InlineData("publish", "/v2/messages?messageIds={0}")]
    [InlineData("publish", "/v2/messages?label={1}")]
    [InlineData("enqueue/{1}", "/v2/messages/{0}")]
    [InlineData("enqueue/{1}", "/v2/queues/{1}")]
    public async Task The_next_publish_of_it_is_delivered(string call, string cancel)
    {
        var id = Unique("d");
        (string, string)[] headers = [("Upstash-Deduplication-Id", id), ("Upstash-Label", id)];
        var target = $"/v2/{string.Format(null, call, "", id)}/{Receiver.Url("/first")}";
        var first = await Wire.SendAsync(HttpMethod.Post, target, [], [.. headers, ("Upstash-Delay", "1h")]);
        Assert.Equal(HttpStatusCode.OK, first.Status);
        Assert.Equal(HttpStatusCode.Accepted, (await Wire.TryPublishAsync(Receiver.Url("/second"), [], headers)).Status);

        var cancelled = await Wire.DeleteAsync(string.Format(null, cancel, first.Json["messageId"], id));
        Assert.Equal(HttpStatusCode.OK, cancelled.Status);
        var second = await Wire.PublishAsync(Receiver.Url("/second"), "", headers);

        Assert.Equal(second, (await Receiver.OneAsync("/second")).MessageId);
        Assert.Equal(HttpStatusCode.Accepted, (await Wire.TryPublishAsync(Receiver.Url("/second"), [], headers)).Status);
        await Wire.StatesUntilAsync((string)first.Json["messageId"]!, "CANCELED");
        Assert.Empty(Receiver.Requests("/first"));
    }
}

public sealed class CancelledIdsOnSqlite(SqliteHost hosts, NodeSdk sdk) : CancelledIdTests(hosts, sdk);

public sealed class CancelledIdsOnAzurite(AzuriteHost hosts, NodeSdk sdk) : CancelledIdTests(hosts, sdk);

public sealed class CancelledIdsOnFunctions(FunctionsHost hosts, NodeSdk sdk) : CancelledIdTests(hosts, sdk);
