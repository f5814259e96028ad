using System.Net;
using System.Net.Sockets;
using FuncStash.Destinations;
using FuncStash.Schedules;
using FuncStash.Settings;
using FuncStash.UrlGroups;
using Microsoft.Extensions.DependencyInjection;

namespace FuncStash.Tests.Destinations;

/// <summary>A host that no delivery could reach is refused where it is given, by everything that takes one.</summary>
public sealed class UnreachableNamesTests : IAsyncDisposable
{
    private const string Gone = "https://gone.example.com/x", Inner = "https://inner.example.com/x", Fine = "https://fine.example.com/x";

    private const string NoSuchHost = "unable to resolve host: lookup gone.example.com: no such host";

    private readonly TestResolver _resolver = new TestResolver().Gives("fine.example.com", "8.8.8.8").Gives("inner.example.com", "10.0.0.5");
    private readonly TestService _service;

    public UnreachableNamesTests() => _service = NewService(new FuncStashOptions { AllowPrivateNetworks = false });

    public ValueTask DisposeAsync() => _service.DisposeAsync();

    /// <summary>Calls that take a destination, as the method, the target, the body and the headers; <c>URL</c> stands for it.</summary>
    public static TheoryData<string, string, string, string, string> Calls => new()
    {
        { "POST", "/v2/publish/URL", "", "", "destination url" },
        { "POST", "/v2/publish/URL", "", "Upstash-Delay: 1d", "destination url" },
        { "POST", "/v2/publish/URL", "", "Upstash-Cron: * * * * *", "destination url" },
        { "POST", "/v2/enqueue/q/URL", "", "", "destination url" },
        { "POST", "/v2/schedules/URL", "", "Upstash-Cron: * * * * *", "destination url" },
        { "POST", "/v2/publish/" + Fine, "", "Upstash-Callback: URL", "Upstash-Callback" },
        { "POST", "/v2/publish/" + Fine, "", "Upstash-Failure-Callback: URL", "Upstash-Failure-Callback" },
        { "POST", "/v2/publish/" + Fine + "?upstash-callback=URL", "", "", "Upstash-Callback" },
        { "POST", "/v2/publish/" + Fine, "", $"Upstash-Callback: {Fine}|Upstash-Callback-Failure-Callback: URL", "Upstash-Callback-Failure-Callback" },
        { "POST", "/v2/publish/group", "", "Upstash-Callback: URL", "Upstash-Callback" },
        { "POST", "/v2/publish/api/llm", "", "Upstash-Callback: URL", "Upstash-Callback" },
        { "POST", "/v2/enqueue/q/" + Fine, "", "Upstash-Failure-Callback: URL", "Upstash-Failure-Callback" },
        { "POST", "/v2/schedules/" + Fine, "", "Upstash-Cron: * * * * *|Upstash-Callback: URL", "Upstash-Callback" },
        { "POST", "/v2/topics/other/endpoints", $$"""{"endpoints":[{"url":"{{Fine}}"},{"url":"URL"}]}""", "", "endpoint url" },
        { "PATCH", "/v2/topics/group", """{"headers":{"Upstash-Callback":"URL"}}""", "", "Upstash-Callback" },
        { "POST", "/v2/dlq/retry/LETTER", "", "Upstash-Callback: URL", "Upstash-Callback" },
        { "POST", "/v2/dlq/retry?dlqIds=LETTER", "", "Upstash-Failure-Callback: URL", "Upstash-Failure-Callback" },
    };

    [Theory]
    [MemberData(nameof(Calls))]
    public async Task A_name_that_does_not_resolve_is_refused(string method, string target, string body, string headers, string what)
    {
        var answer = await CallAsync(method, target, body, headers, Gone);

        Assert.Equal(400, answer.Status);
        Assert.StartsWith("invalid " + what, answer.Error, StringComparison.Ordinal);
        Assert.EndsWith(": " + NoSuchHost, answer.Error, StringComparison.Ordinal);
        await AssertNothingLeftAsync();
    }

    [Theory]
    [MemberData(nameof(Calls))]
    public async Task A_name_that_resolves_to_a_closed_network_is_refused_and_told_what_opens_it(string method, string target, string body, string headers, string what)
    {
        foreach (var url in new[] { Inner, "http://10.0.0.5:8080/", "http://localhost/x" })
        {
            var answer = await CallAsync(method, target, body, headers, url);

            Assert.Equal(400, answer.Status);
            Assert.StartsWith("invalid " + what, answer.Error, StringComparison.Ordinal);
            Assert.Contains("FUNCSTASH_ALLOWED_NETWORKS", answer.Error, StringComparison.Ordinal);
            Assert.Contains("must be publicly accessible", answer.Error, StringComparison.Ordinal);
        }
        await AssertNothingLeftAsync();
    }

    [Theory]
    [MemberData(nameof(Calls))]
    public async Task Where_nobody_can_tell_it_is_accepted(string method, string target, string body, string headers, string what)
    {
        _resolver.Fails("gone.example.com", SocketError.TryAgain);
        var answer = await CallAsync(method, target, body, headers, Gone);
        Assert.True(answer.Status is 200 or 201, $"{what}: {answer.Text}");
    }

    [Fact]
    public async Task In_a_batch_only_the_items_that_name_one_are_refused()
    {
        var answer = await _service.CallAsync("POST", "/v2/batch", $$$"""
            [
              {"destination":"{{{Fine}}}"},
              {"destination":"{{{Gone}}}"},
              {"destination":"{{{Inner}}}","queue":"q"},
              {"destination":"{{{Fine}}}","headers":{"Upstash-Callback":"{{{Gone}}}"}},
              {"destination":"{{{Gone}}}","headers":{"Upstash-Cron":"* * * * *"}},
              {"destination":"{{{Fine}}}"}
            ]
            """);

        Assert.Equal(200, answer.Status);
        var items = answer.Json.AsArray();
        Assert.Equal(["messageId", "error", "error", "error", "error", "messageId"], items.Select(item => item!.AsObject().Single().Key));
        Assert.Equal("invalid destination url: " + NoSuchHost, (string)items[1]!["error"]!);
        Assert.Contains("FUNCSTASH_ALLOWED_NETWORKS", (string)items[2]!["error"]!, StringComparison.Ordinal);
        Assert.Equal("invalid Upstash-Callback: " + NoSuchHost, (string)items[3]!["error"]!);
        Assert.Equal("invalid destination url: " + NoSuchHost, (string)items[4]!["error"]!);
    }

    [Fact]
    public async Task A_batch_waits_for_a_resolver_that_hangs_once_and_not_for_each_item()
    {
        for (var i = 0; i < 40; i++)
            _resolver.Answers($"h{i}.example.com", () => new TaskCompletionSource<IPAddress[]>().Task);
        var batch = _service.CallAsync("POST", "/v2/batch", $"[{string.Join(',', Enumerable.Range(0, 40).Select(i => $$"""{"destination":"https://h{{i}}.example.com/"}"""))}]");

        Assert.False(batch.IsCompleted);
        _service.Time.Advance(KnownHosts.Patience);

        var answer = await batch.WaitAsync(TimeSpan.FromSeconds(30), TimeProvider.System);
        Assert.All(answer.Json.AsArray(), item => Assert.NotNull(item!["messageId"]));
    }

    [Fact]
    public async Task A_publish_to_a_known_host_asks_nobody()
    {
        for (var i = 0; i < 20; i++)
        {
            Assert.Equal(200, (await _service.CallAsync("POST", $"/v2/publish/https://FINE.example.com/{i}", "", null, ("Upstash-Callback", Fine))).Status);
            _service.Time.Advance(TimeSpan.FromSeconds(2));
        }
        Assert.Equal(["fine.example.com"], _resolver.Asked);
    }

    [Fact]
    public async Task An_international_name_is_asked_for_in_ASCII()
    {
        _resolver.Gives("xn--bcher-kva.example.com", "8.8.8.8");

        Assert.Equal(200, (await _service.CallAsync("POST", "/v2/batch", """[{"destination":"https://bücher.example.com/"}]""")).Status);
        Assert.Equal(["xn--bcher-kva.example.com"], _resolver.Asked);
    }

    [Fact]
    public async Task A_schedule_whose_host_is_gone_when_it_fires_makes_a_message_that_is_retried()
    {
        Assert.Equal(200, (await CallAsync("POST", "/v2/schedules/URL", "", "Upstash-Cron: * * * * *|Upstash-Schedule-Id: s", Fine)).Status);
        _resolver.SeesNothing().Gives(KnownHosts.Landmark, "198.41.0.4");
        _service.Time.Advance(TimeSpan.FromMinutes(2));

        await _service.Get<ScheduleTicker>().TickAsync(_service.Time.GetUtcNow());

        var schedule = (await _service.CallAsync("GET", "/v2/schedules/s")).Json;
        Assert.Null(schedule["error"]);
        Assert.Single(schedule["lastScheduleStates"]!.AsObject());
    }

    [Fact]
    public async Task A_URL_group_is_published_to_though_one_of_its_hosts_is_gone()
    {
        await _service.CallAsync("POST", "/v2/topics/g/endpoints", $$"""{"endpoints":[{"url":"{{Fine}}"}]}""");
        _resolver.SeesNothing().Gives(KnownHosts.Landmark, "198.41.0.4");
        _service.Time.Advance(TimeSpan.FromMinutes(2));

        Assert.Equal(200, (await _service.CallAsync("POST", "/v2/publish/g")).Status);
    }

    [Fact]
    public async Task It_can_be_turned_off()
    {
        await using var service = NewService(FuncStashSettings.Read(name => name == "FUNCSTASH_CHECK_HOSTS" ? "false" : null));

        Assert.Equal(200, (await service.CallAsync("POST", "/v2/publish/" + Gone)).Status);
        Assert.Equal(200, (await service.CallAsync("POST", "/v2/publish/" + Inner)).Status);
        Assert.Equal(400, (await service.CallAsync("POST", "/v2/publish/http://10.0.0.5/")).Status);
        Assert.Empty(_resolver.Asked);
        Assert.True(FuncStashSettings.Read(_ => null).ChecksHosts);
    }

    [Fact]
    public async Task A_server_that_delivers_to_private_networks_takes_names_of_such_and_looks_nothing_up_for_this_machine()
    {
        await using var service = NewService(new FuncStashOptions { AllowPrivateNetworks = true });

        foreach (var url in new[] { Inner, "http://localhost:3000/", "http://app.localhost/", "http://127.0.0.1:3000/", "http://[::1]/" })
            Assert.Equal(200, (await service.CallAsync("POST", "/v2/publish/" + url)).Status);
        Assert.Equal(400, (await service.CallAsync("POST", "/v2/publish/" + Gone)).Status);
        Assert.Equal(["inner.example.com", "gone.example.com", KnownHosts.Landmark], _resolver.Asked);
    }

    private TestService NewService(FuncStashOptions options) => new(
        options with { LlmBaseUrl = "https://llm.example.com" }, change: services => services.AddSingleton<HostLookup>(_resolver.LookUpAsync));

    private async Task<TestAnswer> CallAsync(string method, string target, string body, string headers, string url)
    {
        await _service.Get<UrlGroupStore>().ChangeAsync("group", _ => new("group", 0, 0, [new(null, Fine)]));
        var letter = await _service.AddDeadLetterAsync(_service.NewMessage(Fine));
        var list = headers.Replace("URL", url, StringComparison.Ordinal).Split('|', StringSplitOptions.RemoveEmptyEntries)
            .Select(line => (line.Split(": ")[0], line[(line.IndexOf(": ", StringComparison.Ordinal) + 2)..]));
        return await _service.CallAsync(
            method, target.Replace("URL", url, StringComparison.Ordinal).Replace("LETTER", letter.ToString(), StringComparison.Ordinal),
            body.Replace("URL", url, StringComparison.Ordinal), null, [.. list]);
    }

    private async Task AssertNothingLeftAsync()
    {
        Assert.Empty((await _service.CallAsync("GET", "/v2/events")).Json["events"]!.AsArray());
        Assert.Empty((await _service.CallAsync("GET", "/v2/schedules")).Json.AsArray());
        Assert.Equal(404, (await _service.CallAsync("GET", "/v2/topics/other")).Status);
    }
}
