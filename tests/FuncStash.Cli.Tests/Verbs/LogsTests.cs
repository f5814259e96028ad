using System.Collections.Concurrent;
using System.Globalization;
using FuncStash.Cli.Verbs;
using FuncStash.Client;
using FuncStash.Client.Tests;
using Microsoft.Extensions.Time.Testing;

namespace FuncStash.Cli.Tests.Verbs;

public sealed class LogsTests(EmbeddedServer server)
{
    [Fact]
    public async Task What_happened_to_a_message_is_told_the_latest_first()
    {
        await using var app = await Receiver.StartAsync();
        var id = (await Funcstash.RunAsync(server, "publish", app.BaseUrl)).Well.Trim();

        var lines = await Eventually.GetAsync(
            async () => (await Funcstash.RunAsync(server, "logs", "--message", id)).Lines, found => found.Length == 3);

        Assert.Equal(["delivered", "active", "created"], lines.Select(line => line.Split('\t')[1]));
        Assert.Single((await Funcstash.RunAsync(server, "logs", "--message", id, "--state", "CREATED", "--json")).Lines);
        Assert.Equal(ExitCode.Usage, (await Funcstash.RunAsync(server, "logs", "--state", "nonsense")).Code);
        Assert.Equal(ExitCode.Usage, (await Funcstash.RunAsync(server, "logs", "--follow", "--until", "1h")).Code);
    }

    [Fact]
    public async Task Following_tells_what_happens_until_it_is_interrupted()
    {
        await using var app = await Receiver.StartAsync();
        var label = "l-" + Guid.NewGuid().ToString("N");
        var lines = new ConcurrentQueue<string>();
        using var output = new LineWriter(lines);
        using var interrupt = new CancellationTokenSource();
        await Funcstash.RunAsync(server, "publish", app.BaseUrl, "--label", label);
        var following = new CommandLine(Funcstash.TerminalOf(server.Settings, output, TextWriter.Null)).RunAsync(["logs", "--follow", "--label", label], interrupt.Token);

        await ToldAsync("\tdelivered\t");
        var second = (await Funcstash.RunAsync(server, "publish", app.BaseUrl, "--label", label)).Well.Trim();
        await ToldAsync($"\tdelivered\t{second}\t");
        await interrupt.CancelAsync();

        Assert.Equal(ExitCode.Interrupted, await following);
        Assert.Equal(6, lines.Count);
        Assert.Equal(6, lines.Distinct().Count());

        Task ToldAsync(string text) => Eventually.GetAsync(
            () => Task.FromResult(lines.Any(line => line.Contains(text, StringComparison.Ordinal))), told => told, timeout: TimeSpan.FromSeconds(60));
    }

    [Fact]
    public async Task Each_entry_is_told_once_though_some_come_late_and_the_service_is_away_for_a_while()
    {
        var time = new FakeTimeProvider();
        var log = new StandInLog(time.GetUtcNow());
        log.Add(1, 2, 3);
        await using var tail = LogTail.FollowAsync(log, new LogFilter(), backlog: 2, time, CancellationToken.None).GetAsyncEnumerator();

        Assert.Equal(["2", "3"], [await NextAsync(), await NextAsync()]);
        log.Away = 2;
        log.Add(10);
        Assert.Equal("10", await NextAsync());
        log.Add(5, 11); // the first of them late
        Assert.Equal(["5", "11"], [await NextAsync(), await NextAsync()]);
        log.Add(11); // alike, and another one all the same
        Assert.Equal("11", await NextAsync());

        async Task<string> NextAsync()
        {
            var next = tail.MoveNextAsync().AsTask();
            while (!next.IsCompleted)
            {
                time.Advance(LogTail.Interval);
                await Task.WhenAny(next, Task.Delay(TimeSpan.FromMilliseconds(5), TimeProvider.System));
            }

            await next;
            return tail.Current.MessageId;
        }
    }

    /// <summary>A log that grows as the test says.</summary>
    private sealed class StandInLog(DateTimeOffset begin) : LogsClient
    {
        private readonly List<LogEntry> _entries = [];

        public int Away { get; set; }

        public void Add(params int[] seconds) => _entries.AddRange(seconds.Select(second => new LogEntry
        {
            Time = begin.AddSeconds(second), MessageId = second.ToString(CultureInfo.InvariantCulture), Url = "http://x", State = LogState.Active,
        }));

        public override async IAsyncEnumerable<LogEntry> ListAsync(
            LogFilter? filter = null, int? pageSize = null, ListOrder? order = null, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellationToken = default)
        {
            await Task.Yield();
            if (Away > 0)
            {
                Away--;
                throw new QStashRequestException("away", 503);
            }

            foreach (var entry in _entries.Where(e => filter?.FromDate is not { } from || e.Time >= from).OrderByDescending(e => e.Time).ToList())
                yield return entry;
        }
    }

    private sealed class LineWriter(ConcurrentQueue<string> lines) : StringWriter(CultureInfo.InvariantCulture)
    {
        public override void WriteLine(string? value) => lines.Enqueue(value ?? "");

        public override Task FlushAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    }
}
