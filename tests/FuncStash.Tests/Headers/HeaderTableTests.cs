using System.Text.Json;
using FuncStash.Headers;
using FuncStash.Messages;
using FuncStash.Settings;
using FuncStash.Wire;

namespace FuncStash.Tests.Headers;

/// <summary>Each row of the table does what it says, wherever it says that it may stand.</summary>
public sealed class HeaderTableTests
{
    private const string Key = "Upstash-Flow-Control-Key", Value = "Upstash-Flow-Control-Value";

    // A header without an example here fails the tests below.
    private static readonly Dictionary<string, string> s_examples = new()
    {
        ["Upstash-Method"] = "PUT",
        ["Upstash-Header-Forward"] = "true",
        ["Upstash-Timeout"] = "7s",
        ["Upstash-Retries"] = "7",
        ["Upstash-Retry-Delay"] = "700",
        ["Upstash-Delay"] = "7m",
        ["Upstash-Not-Before"] = "7777777777",
        ["Upstash-Label"] = "seven",
        [Key] = "seven",
        [Value] = "rate=7",
        ["Upstash-Deduplication-Id"] = "seven",
        ["Upstash-Content-Based-Deduplication"] = "true",
        ["Upstash-Redact-Fields"] = "body",
        ["Upstash-Queue-Name"] = "seven",
        ["Upstash-Cron"] = "7 7 * * *",
        ["Upstash-Schedule-Id"] = "seven",
        ["Upstash-Callback"] = "https://example.com/callback",
        ["Upstash-Failure-Callback"] = "https://example.com/failed",
        ["Upstash-Workflow-Runid"] = "wfr_seven",
        ["Upstash-Workflow-Init"] = "true",
        ["Upstash-Workflow-Url"] = "https://example.com/workflow",
        ["Upstash-Workflow-Calltype"] = "toCallback",
        ["Upstash-Workflow-Invoke"] = "true",
        ["Upstash-Workflow-Trigger-By-Sdk"] = "true",
        ["Upstash-Workflow-Unknown-Sdk"] = "true",
        ["Upstash-Feature-Set"] = "InitialBody",
        ["Upstash-Telemetry-Sdk"] = "@upstash/workflow@1",
    };

    public static TheoryData<string> Names => [.. HeaderTable.Settings.Select(header => header.Name).Where(name => name != Value)];

    [Theory]
    [MemberData(nameof(Names))]
    public void It_is_read_in_any_case(string name)
    {
        Assert.True(HeaderTable.Find(name.ToLowerInvariant())!.IsIn(Read(name.ToLowerInvariant())));
        Assert.False(HeaderTable.Find(name)!.IsIn(new PublishSettings()));
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Written_down_again_it_is_read_as_the_same(string name)
    {
        var settings = Read(name);
        var written = new HeaderMap();
        foreach (var (header, value) in PublishSettingsWriter.Write(settings))
            written.Add(header, value);

        Assert.Equal(JsonSerializer.Serialize(settings), JsonSerializer.Serialize(PublishSettingsReader.Parse(written, new FuncStashOptions())));
        Assert.True(HeaderTable.Find(name)!.IsIn(settings));
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void A_default_of_a_URL_group_counts_where_it_may_stand(string name)
    {
        var header = HeaderTable.Find(name)!;
        Assert.Equal(header.Places.HasFlag(Places.Group), header.IsIn(new PublishSettings().Or(Read(name))));
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void The_messages_of_a_schedule_get_what_is_for_them(string name)
    {
        var header = HeaderTable.Find(name)!;
        Assert.Equal(header.Places.HasFlag(Places.Schedule) && !header.MakesSchedule, header.IsIn(Read(name).OfSchedule()));
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void What_a_delivery_tells_is_what_was_asked_for(string name)
    {
        var settings = Read(name);
        // Which queue it is, the publish decides.
        var message = settings.ApplyTo(new Message { Url = "https://example.com/" }, 0) with { QueueName = settings.QueueName };
        var told = HeaderTable.Delivered.Where(header => header.Delivered!(message) is not null).Select(header => header.Name);
        Assert.Equal(HeaderTable.Delivered.Select(header => header.Name).Where(n => n == name || (name == Key && n == Value)), told);
    }

    private static PublishSettings Read(string name)
    {
        var reader = new PublishSettingsReader(new FuncStashOptions());
        reader.Read(name, s_examples[HeaderTable.Find(name)!.Name]);
        if (name.Equals(Key, StringComparison.OrdinalIgnoreCase))
            reader.Read(Value, s_examples[Value]);
        return reader.ToSettings();
    }
}
