using System.Collections.Concurrent;
using Deque.AxeCore.Playwright;
using Microsoft.Playwright;

namespace FuncStash.Console.Tests.Browsers;

/// <summary>A test of the console in a real browser, on a real host. Each suite is abstract and has one class for every host.</summary>
public abstract class BrowserTests(HostFixture hosts, Chromium chromium) : IAsyncLifetime
{
    private readonly ConcurrentQueue<string> _complaints = new();
    private readonly List<IBrowserContext> _contexts = [];
    private RunningHost? _host;
    private DataStore? _ownData;
    private Receiver? _receiver;

    /// <summary>Whether its tests have a host to themselves, because others would notice what they do to it.</summary>
    protected virtual bool HasOwnHost => false;

    protected HostFixture Hosts => hosts;

    protected Chromium Chromium => chromium;

    protected RunningHost Host => _host!;

    protected Receiver Receiver => _receiver!;

    protected WireClient Wire => new(Host);

    protected string Console => Host.Url.GetLeftPart(UriPartial.Authority) + "/console/";

    public virtual async ValueTask InitializeAsync()
    {
        if (Chromium.Unavailable is { } none)
            Assert.Skip(none);
        if (hosts.Unavailable is { } reason)
            Assert.Skip($"{hosts.Name}: {reason}");
        if (HasOwnHost)
            _ownData = await hosts.NewDataAsync();
        _host = _ownData is null ? await hosts.SharedAsync() : await hosts.StartAsync(_ownData);
        _receiver = await Receiver.StartAsync();
    }

    public virtual async ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        foreach (var context in _contexts)
            await context.DisposeAsync();
        if (_receiver is not null)
            await _receiver.DisposeAsync();
        if (_ownData is null)
            return;
        if (_host is not null)
            await _host.DisposeAsync();
        await _ownData.DisposeAsync();
    }

    /// <summary>A page in a window of its own. What the browser complains of, such as a breach of the policy, fails the test at <see cref="AssertNoComplaint"/>.</summary>
    protected async Task<IPage> NewPageAsync(BrowserNewContextOptions? options = null)
    {
        var context = await chromium.NewContextAsync(options);
        _contexts.Add(context);
        var page = await context.NewPageAsync();
        page.Console += (_, message) =>
        {
            if (message.Type is "error" or "warning")
                _complaints.Enqueue($"{page.Url}: {message.Text}");
        };
        page.PageError += (_, error) => _complaints.Enqueue($"{page.Url}: {error}");
        page.Request += (_, request) =>
        {
            if (new Uri(request.Url).GetLeftPart(UriPartial.Authority) != new Uri(page.Url == "about:blank" ? request.Url : page.Url).GetLeftPart(UriPartial.Authority))
                _complaints.Enqueue($"{page.Url}: asks {request.Url}");
        };
        return page;
    }

    protected void AssertNoComplaint() => Assert.Empty(_complaints);

    /// <summary>The same where the browser also tells of answers with such a status, as the test means them to be.</summary>
    protected void AssertNoComplaintBut(params string[] statuses) =>
        Assert.DoesNotContain(_complaints, complaint => !statuses.Any(status => complaint.Contains($"a status of {status} ", StringComparison.Ordinal)));

    /// <summary>Axe looked at the page, and finds nothing serious.</summary>
    protected static async Task AssertNothingSeriousAsync(IPage page)
    {
        var found = await page.RunAxe();
        Assert.NotEmpty(found.Passes);
        Assert.Empty(found.Violations.Where(violation => violation.Impact is "serious" or "critical").Select(violation =>
            $"{page.Url}: {violation.Id}: {violation.Help}: {string.Join(", ", violation.Nodes.Select(node => node.Html))}"));
    }

    /// <summary>A name no other test has, fit for labels and paths.</summary>
    protected static string Unique(string name) => $"{name}-{Guid.NewGuid():N}"[..(name.Length + 13)];

    /// <summary>Publishes what fails at once for good; the id of its message.</summary>
    protected async Task<string> FailAsync(string path, string label, string body = """{"order":7}""")
    {
        Receiver.Answers(path, Answer.Of(503, """{"error":"down"}""", ("Content-Type", "application/json")), Answer.Ok);
        var id = await Wire.PublishAsync(
            Receiver.Url(path), body, ("Upstash-Retries", "0"), ("Upstash-Label", label), ("Content-Type", "application/json"));
        // It comes a moment after the event.
        await Eventually.GetAsync(
            async () => (await Wire.GetAsync("/v2/dlq?messageId=" + id)).Json["messages"]!.AsArray(), letters => letters.Count == 1, _ => "no dead letter");
        return id;
    }
}
