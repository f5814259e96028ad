using System.Text;

namespace FuncStash.Client.Tests.Embedded;

/// <summary>Messages that the client publishes are delivered by the embedded server.</summary>
public sealed class DeliveryTests(EmbeddedServer server)
{
    private readonly QStashClient _client = server.NewClient();

    [Fact]
    public async Task A_message_arrives_signed_with_its_body_and_headers()
    {
        await using var app = await Receiver.StartAsync();
        var url = app.BaseUrl + "/hook?source=shop";

        var published = await _client.PublishAsync(url, "größe", new() { Headers = { ["X-Tenant"] = "acme" }, Method = HttpMethod.Put });
        var delivery = await app.FirstAsync();

        Assert.Equal("PUT", delivery.Method);
        Assert.Equal("/hook?source=shop", delivery.Target);
        Assert.Equal("größe", delivery.Text);
        Assert.Equal("acme", delivery.Header("x-tenant"));
        Assert.Equal("text/plain;charset=UTF-8", delivery.Header("content-type"));
        Assert.Equal(published.MessageId, delivery.Header("upstash-message-id"));
        var signature = new SignatureVerifier(EmbeddedServer.CurrentKey).Verify(delivery.Header("upstash-signature")!, delivery.Body, url);
        Assert.True(signature.IsValid, signature.Reason);
    }

    [Fact]
    public async Task Bytes_that_are_no_text_arrive_as_they_are_and_their_signature_holds()
    {
        byte[] bytes = [0, 255, 254, 128, 10];
        await using var app = await Receiver.StartAsync();

        var published = await _client.PublishAsync(app.BaseUrl, bytes, new() { Delay = TimeSpan.Zero });
        var delivery = await app.FirstAsync();

        Assert.Equal(bytes, delivery.Body);
        Assert.True(new SignatureVerifier(EmbeddedServer.CurrentKey).Verify(delivery.Header("upstash-signature")!, delivery.Body, app.BaseUrl).IsValid);
        Assert.Equal(bytes, (await _client.Messages.GetAsync(published.MessageId)).BodyBytes.ToArray());
    }

    [Fact]
    public async Task A_publish_whose_answer_was_lost_is_delivered_once()
    {
        await using var app = await Receiver.StartAsync();
        using var losing = new LosesFirstAnswer();
        var client = new QStashClient(new HttpClient(losing), new() { BaseUrl = server.Url, Token = EmbeddedServer.Token });

        // The messages of a queue come in order: when the last is there, the others would be there twice.
        var first = await client.EnqueueAsync("lost", app.BaseUrl, "once");
        var batch = await client.BatchAsync([new(app.BaseUrl, "batched once") { QueueName = "lost" }]);
        await client.EnqueueAsync("lost", app.BaseUrl, "last");
        await app.FirstAsync(delivery => delivery.Text == "last");

        Assert.Equal(3, losing.Lost);
        Assert.False(first.Deduplicated);
        Assert.Single(batch[0].Messages);
        Assert.Equal(["once", "batched once", "last"], app.All.Select(delivery => delivery.Text));
    }

    [Fact]
    public async Task A_message_of_the_same_id_is_a_duplicate()
    {
        await using var app = await Receiver.StartAsync();
        var options = new PublishOptions { DeduplicationId = Guid.NewGuid().ToString("N") };

        var first = await _client.PublishAsync(app.BaseUrl, "one", options);
        var second = await _client.PublishAsync(app.BaseUrl, "two", options);

        Assert.False(first.Deduplicated);
        Assert.True(second.Deduplicated);
        Assert.Equal(first.MessageId, second.MessageId);
    }

    [Fact]
    public async Task A_destination_is_kept_as_it_was_written()
    {
        foreach (var url in (string[])["http://127.0.0.1:9", "http://127.0.0.1:9/a/../b//%7e?x=%41&y=%c3%bc"])
        {
            var published = await _client.PublishAsync(url, options: new() { Delay = TimeSpan.FromHours(1) });
            Assert.Equal(url, (await _client.Messages.GetAsync(published.MessageId)).Url);
            await _client.Messages.CancelAsync(published.MessageId);
        }
    }

    [Fact]
    public async Task A_callback_is_told_with_its_own_settings()
    {
        await using var app = await Receiver.StartAsync();

        await _client.PublishAsync(app.BaseUrl + "/work", "x", new()
        {
            Callback = new(app.BaseUrl + "/done") { Method = HttpMethod.Put, Headers = { ["X-Tenant"] = "acme" } },
        });
        var callback = await app.OneAsync("/done");

        Assert.Equal("PUT", callback.Method);
        Assert.Equal("acme", callback.Header("x-tenant"));
        Assert.Contains("sourceMessageId", callback.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_batch_is_taken_message_by_message()
    {
        await using var app = await Receiver.StartAsync();
        var group = "batch-" + Guid.NewGuid().ToString("N");
        await _client.UrlGroups.AddEndpointsAsync(group, [new(app.BaseUrl + "/a"), new(app.BaseUrl + "/b", "b")]);

        var results = await _client.BatchAsync(
        [
            new(app.BaseUrl + "/one", "größe"), new("no:scheme", "x"), new(group, "to both"),
            new(app.BaseUrl + "/queued", "q") { QueueName = group },
        ]);

        Assert.Equal([1, 0, 2, 1], results.Select(result => result.Messages.Count));
        Assert.NotNull(results[1].Error);
        Assert.Equal([app.BaseUrl + "/a", app.BaseUrl + "/b"], results[2].Messages.Select(message => message.Url));
        foreach (var path in (string[])["/one", "/a", "/b", "/queued"])
            await app.OneAsync(path);
    }

    [Fact]
    public async Task What_happened_is_in_the_log_page_by_page()
    {
        await using var app = await Receiver.StartAsync();
        var label = "log-" + Guid.NewGuid().ToString("N");
        var published = await _client.PublishAsync(app.BaseUrl, "hello", new() { Labels = [label, "größe"], Retries = 2 });
        await app.FirstAsync();

        var entries = await Eventually.GetAsync(
            () => _client.Logs.ListAsync(new() { Labels = [label] }, pageSize: 1).ToListAsync().AsTask(),
            found => found.Exists(entry => entry.State == LogState.Delivered));

        Assert.Equal([LogState.Delivered, LogState.Active, LogState.Created], entries.Select(entry => entry.State));
        Assert.Equal(
            [LogState.Created, LogState.Active, LogState.Delivered],
            await _client.Logs.ListAsync(new() { Labels = [label] }, pageSize: 1, ListOrder.EarliestFirst).Select(entry => entry.State).ToListAsync());
        Assert.All(entries, entry =>
        {
            Assert.Equal(published.MessageId, entry.MessageId);
            Assert.Equal([label, "größe"], entry.Labels);
            Assert.Equal("hello"u8, entry.BodyBytes.Span);
            Assert.Equal(app.BaseUrl, entry.Url);
            Assert.Equal(2, entry.MaxRetries);
        });
    }

    [Fact]
    public async Task A_message_that_failed_is_a_dead_letter_which_can_be_sent_again_and_deleted()
    {
        var status = 500;
        await using var app = await Receiver.StartAsync();
        app.Otherwise = _ => new() { Status = status, Body = new byte[] { 255, 1 } };
        var label = "dlq-" + Guid.NewGuid().ToString("N");
        var filter = new DlqFilter { Labels = [label], ResponseStatuses = [500] };
        await _client.BatchAsync(Enumerable.Range(0, 3).Select(n => new BatchMessage(app.BaseUrl, $"m{n}", new() { Retries = 0, Labels = [label] })));

        var letters = await Eventually.GetAsync(() => _client.Dlq.ListAsync(filter, pageSize: 2).ToListAsync().AsTask(), found => found.Count == 3);
        var letter = await _client.Dlq.GetAsync(letters[0].DlqId);
        Assert.Equal(500, letter.ResponseStatus);
        Assert.Equal([255, 1], letter.ResponseBodyBytes.ToArray());
        Assert.Equal(["m0", "m1", "m2"], letters.Select(l => Encoding.UTF8.GetString(l.BodyBytes.Span)).Order(StringComparer.Ordinal));

        status = 200;
        var again = await _client.Dlq.RetryAsync(letter.DlqId);
        var delivery = await app.FirstAsync(d => d.Header("upstash-message-id") == again.MessageId);
        Assert.Equal(letter.Body, delivery.Text);
        Assert.Equal(404, (await Assert.ThrowsAsync<QStashRequestException>(() => _client.Dlq.GetAsync(letter.DlqId))).Status);

        await _client.Dlq.DeleteAsync(letters[1].DlqId);
        Assert.Single(await _client.Dlq.RetryWhereAsync(filter, pageSize: 1).ToListAsync());
        Assert.Equal(0, await _client.Dlq.DeleteWhereAsync(filter));
    }

    [Fact]
    public async Task Dead_letters_are_listed_in_both_orders()
    {
        await using var app = await Receiver.StartAsync();
        app.Otherwise = _ => Answer.Of(500);
        var filter = new DlqFilter { Labels = ["order-" + Guid.NewGuid().ToString("N")] };
        await _client.BatchAsync(Enumerable.Range(0, 3).Select(n => new BatchMessage(app.BaseUrl, $"m{n}", new() { Retries = 0, Labels = filter.Labels! })));
        var earliest = await Eventually.GetAsync(() => IdsAsync(null), found => found.Count == 3);

        Assert.Equal(earliest, await IdsAsync(ListOrder.EarliestFirst));
        Assert.Equal(Enumerable.Reverse(earliest), await IdsAsync(ListOrder.LatestFirst));

        Task<List<string>> IdsAsync(ListOrder? order) => _client.Dlq.ListAsync(filter, pageSize: 2, order).Select(letter => letter.DlqId).ToListAsync().AsTask();
    }

    [Fact]
    public async Task Dead_letters_are_listed_sent_again_and_deleted_by_their_error()
    {
        await using var app = await Receiver.StartAsync();
        app.Otherwise = request => Answer.Of(int.Parse(request.Text, System.Globalization.CultureInfo.InvariantCulture));
        var label = "error-" + Guid.NewGuid().ToString("N");
        var all = new DlqFilter { Labels = [label] };
        await _client.BatchAsync(new[] { "500", "503", "500", "503" }.Select(status => new BatchMessage(app.BaseUrl, status, new() { Retries = 0, Labels = [label] })));
        var letters = await Eventually.GetAsync(() => _client.Dlq.ListAsync(all).ToListAsync().AsTask(), found => found.Count == 4);
        var busy = all with { Error = letters.First(letter => letter.ResponseStatus == 503).Error };

        Assert.Equal([503, 503], await _client.Dlq.ListAsync(busy, pageSize: 1).Select(letter => letter.ResponseStatus).ToListAsync());
        Assert.Equal(2, await _client.Dlq.RetryWhereAsync(busy, pageSize: 1).CountAsync());
        await Eventually.GetAsync(() => _client.Dlq.ListAsync(busy).CountAsync().AsTask(), count => count == 2);
        Assert.Equal(2, await _client.Dlq.DeleteWhereAsync(busy));
        Assert.Equal([500, 500], await _client.Dlq.ListAsync(all).Select(letter => letter.ResponseStatus).ToListAsync());
        await Assert.ThrowsAsync<ArgumentException>(() => _client.Dlq.DeleteWhereAsync(all with { Error = "" }));
    }

    [Fact]
    public async Task Dead_letters_that_fail_again_at_once_are_each_sent_again_once()
    {
        await using var app = await Receiver.StartAsync();
        app.Otherwise = _ => Answer.Of(500);
        var label = "again-" + Guid.NewGuid().ToString("N");
        var filter = new DlqFilter { Labels = [label] };
        await _client.BatchAsync(Enumerable.Range(0, 3).Select(n => new BatchMessage(app.BaseUrl, $"m{n}", new() { Retries = 0, Labels = [label] })));
        await Eventually.GetAsync(() => _client.Dlq.ListAsync(filter).CountAsync().AsTask(), count => count == 3);

        var sent = new List<string>();
        await foreach (var message in _client.Dlq.RetryWhereAsync(filter, pageSize: 1))
        {
            sent.Add(message.MessageId);
            Assert.True(sent.Count <= 3);
            await Eventually.GetAsync(() => _client.Dlq.ListAsync(new() { MessageId = message.MessageId }).AnyAsync().AsTask(), isBack => isBack);
        }

        Assert.Equal(3, sent.Count);
    }

    [Fact]
    public async Task Messages_that_wait_can_be_cancelled()
    {
        var label = "cancel-" + Guid.NewGuid().ToString("N");
        var ids = new List<string>();
        for (var n = 0; n < 4; n++)
            ids.Add((await _client.PublishAsync($"http://127.0.0.1:9/{n}", options: new() { Delay = TimeSpan.FromHours(1), Labels = [label] })).MessageId);

        await _client.Messages.CancelAsync(ids[0]);
        Assert.Equal(1, await _client.Messages.CancelManyAsync([ids[1], "msg_unknown"]));
        Assert.Equal(1, await _client.Messages.CancelWhereAsync(new() { Labels = [label], Paths = ["/2"], Hosts = ["127.0.0.1:9"] }));
        Assert.Equal(1, await _client.Messages.CancelWhereAsync(new() { Labels = [label] }, count: 10));
        Assert.Equal(404, (await Assert.ThrowsAsync<QStashRequestException>(() => _client.Messages.GetAsync("msg_unknown"))).Status);
    }

    /// <summary>Loses the answer of every call's first attempt, when the service has done it.</summary>
    private sealed class LosesFirstAnswer() : DelegatingHandler(new SocketsHttpHandler())
    {
        private bool _second;

        public int Lost { get; private set; }

        protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            var response = await base.SendAsync(request, cancellationToken);
            _second = !_second;
            if (!_second)
                return response;
            response.Dispose();
            Lost++;
            throw new HttpRequestException("the answer was lost");
        }
    }
}
