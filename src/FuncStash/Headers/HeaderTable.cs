using System.Collections.Frozen;
using FuncStash.Messages;
using FuncStash.Wire;

namespace FuncStash.Headers;

/// <summary>The headers in which a publisher asks for something, each declared here and nowhere else (protocol#headers).</summary>
internal static class HeaderTable
{
    public const string Prefix = "Upstash-", ForwardPrefix = "Upstash-Forward-";

    /// <summary>What the bytes of a body are: it goes where they go, whether forwarded by name or not.</summary>
    public static readonly IReadOnlyList<BodyHeader> OfTheBody =
    [
        new("Content-Type", IsList: false, "content type of the delivery, unless `Upstash-Forward-Content-Type` gives another"),
        new("Content-Encoding", IsList: true, "content encoding of the delivery: the body goes on as it came"),
    ];

    public static readonly IReadOnlyList<SettingHeader> Settings =
    [
        new SettingHeader<string?>("Upstash-Method", s => s.Method, (s, method) => s with { Method = method }, SettingValue.Method)
        {
            Apply = (message, method) => message with { Method = method! },
            Places = Places.Everywhere,
            Value = "`GET` `POST` `PUT` `PATCH` `DELETE`",
            Default = "`POST`",
            Effect = "method of the delivery",
        },
        new SettingHeader<bool?>(
            "Upstash-Header-Forward", s => s.ForwardsAllHeaders, (s, all) => s with { ForwardsAllHeaders = all },
            SettingValue.GivenFlag)
        {
            Places = Places.Publish | Places.Group | Places.Schedule,
            Value = "`true` `false`",
            Default = "`false`",
            Effect = "all headers of the request go along: see [header names](#header-names). Not in a batch",
        },
        new SettingHeader<TimeSpan?>("Upstash-Timeout", s => s.Timeout, (s, timeout) => s with { Timeout = timeout }, SettingValue.Duration)
        {
            Apply = (message, timeout) => message with
            {
                TimeoutMs = timeout > TimeSpan.Zero ? DurationText.Milliseconds(timeout.Value) : null,
            },
            Places = Places.Everywhere,
            Value = "[duration](#durations)",
            Default = "the limit",
            Effect = "time for one attempt; `0` and what is longer than the [limit](#limits) is the limit",
        },
        new SettingHeader<int?>("Upstash-Retries", s => s.Retries, (s, retries) => s with { Retries = retries }, SettingValue.Retries)
        {
            Apply = (message, retries) => message with { MaxRetries = retries!.Value },
            Places = Places.Everywhere,
            Value = "number from 0 to the [limit](#limits)",
            Default = "3; of a callback as many as its message has",
            Effect = "[retries](#retries) after the first attempt",
        },
        new SettingHeader<string?>("Upstash-Retry-Delay", s => s.RetryDelay, (s, delay) => s with { RetryDelay = delay }, SettingValue.RetryDelay)
        {
            Apply = (message, delay) => message with { RetryDelay = delay },
            Delivered = message => message.RetryDelay,
            Places = Places.Everywhere,
            Value = "expression",
            Default = "[backoff](#backoff)",
            Effect = "[wait](#retry-delay) before each retry, in milliseconds",
        },
        new SettingHeader<TimeSpan?>("Upstash-Delay", s => s.Delay, (s, delay) => s with { Delay = delay }, SettingValue.Delay)
        {
            Places = Places.Everywhere,
            Value = "[duration](#durations) up to the [limit](#limits)",
            Effect = "not before so much later: than the publish, the schedule's occurrence, the end of the reported attempt, the retry call",
        },
        new SettingHeader<long?>("Upstash-Not-Before", s => s.NotBefore, (s, seconds) => s with { NotBefore = seconds }, SettingValue.NotBefore)
        {
            Places = Places.Everywhere & ~Places.Schedule,
            Value = "unix time in seconds",
            Effect = "not before then; beats `Upstash-Delay`; at once when it is past",
        },
        new SettingHeader<IReadOnlyList<string>?>("Upstash-Label", s => s.Labels, (s, labels) => s with { Labels = labels }, SettingValue.Labels)
        {
            Apply = (message, labels) => message with { Labels = labels },
            IsList = true,
            Places = Places.Everywhere,
            Value = "list",
            Effect = "[labels](#labels)",
        },
        new FlowControlHeader(
            "Upstash-Flow-Control-Key", isKey: true,
            (draft, key) => draft.FlowControlKey = SettingValue.ResourceName("Upstash-Flow-Control-Key", key, null!))
        {
            Delivered = message => message.FlowControl?.Key,
            Places = Places.Everywhere,
            Value = "[name](#names)",
            Effect = "[flow control](#flow-control); together with the value",
        },
        new FlowControlHeader(
            "Upstash-Flow-Control-Value", isKey: false, (draft, value) => draft.FlowControlValue = value)
        {
            Delivered = message => message.FlowControl is { } limits ? FlowControlValue.Text(limits.Rate, limits.Parallelism, limits.Period) : null,
            IsList = true,
            Places = Places.Everywhere,
            Value = "[limits](#flow-control-values)",
            Effect = "together with the key",
        },
        new SettingHeader<string?>(
            "Upstash-Deduplication-Id", s => s.DeduplicationId, (s, id) => s with { DeduplicationId = id }, SettingValue.DeduplicationId)
        {
            Places = Places.Publish | Places.Group | Places.Retry,
            Value = "text without `:`",
            Effect = "[deduplication](#deduplication)",
        },
        new SettingHeader<bool?>(
            "Upstash-Content-Based-Deduplication", s => s.ContentBasedDeduplication,
            (s, isAsked) => s with { ContentBasedDeduplication = isAsked }, SettingValue.GivenFlag)
        {
            Places = Places.Publish | Places.Group | Places.Retry,
            Value = "`true` `false`",
            Default = "`false`",
            Effect = "[deduplication](#deduplication) by content",
        },
        new SettingHeader<string?>("Upstash-Redact-Fields", s => s.Redact, (s, fields) => s with { Redact = fields }, SettingValue.Redaction)
        {
            Apply = (message, fields) => message with { Redact = fields },
            IsList = true,
            Places = Places.Everywhere,
            Value = "list",
            Default = "none; a redacted message's callback has `body` and that message's in any case",
            Effect = "[redaction](#redaction)",
        },
        new SettingHeader<string?>("Upstash-Queue-Name", s => s.QueueName, (s, queue) => s with { QueueName = queue }, SettingValue.ResourceName)
        {
            Delivered = message => message.QueueName,
            Places = Places.Publish | Places.Schedule | Places.Retry,
            Value = "[name](#names)",
            Effect = "[queue](#queues) to enqueue into; one in the path or the batch item wins",
        },
        new SettingHeader<string?>("Upstash-Cron", s => s.Cron, (s, cron) => s with { Cron = cron }, SettingValue.Text)
        {
            // No expression is none that can be read: a message that was to be sent daily must not go out at once.
            MayBeEmpty = true,
            MakesSchedule = true,
            Places = Places.Publish | Places.Schedule,
            Value = "[cron](#cron)",
            Effect = "makes it a [schedule](#schedules) with these times",
        },
        new SettingHeader<string?>("Upstash-Schedule-Id", s => s.ScheduleId, (s, id) => s with { ScheduleId = id }, SettingValue.ResourceName)
        {
            MakesSchedule = true,
            Places = Places.Publish | Places.Schedule,
            Value = "[name](#names)",
            Default = "a new id",
            Effect = "id of the [schedule](#schedules)",
        },
        new CallbackHeader(
            "Upstash-Callback", s => s.Callback, (s, callback) => s with { Callback = callback },
            s => s.ForCallback, (s, settings) => s with { ForCallback = settings }, message => message.Callback)
        {
            Apply = (message, callback) => message with { Callback = callback },
            Places = Places.Everywhere,
            Value = "URL",
            Effect = "[callback](#callbacks) after each attempt",
        },
        new CallbackHeader(
            "Upstash-Failure-Callback", s => s.FailureCallback, (s, callback) => s with { FailureCallback = callback },
            s => s.ForFailureCallback, (s, settings) => s with { ForFailureCallback = settings }, message => message.FailureCallback)
        {
            Apply = (message, callback) => message with { FailureCallback = callback },
            Places = Places.Everywhere,
            Value = "URL",
            Effect = "[callback](#callbacks) after the last attempt, if it failed",
        },
        new SettingHeader<string?>(
            RunHeaders.RunIdName, s => s.Workflow.RunId, (s, id) => s with { Workflow = s.Workflow with { RunId = id } }, SettingValue.RunId)
        {
            Places = Places.Publish,
            Value = "text",
            Effect = "makes it a part of the [workflow run](#workflows) of this id",
        },
        new SettingHeader<bool>(
            RunHeaders.InitName, s => s.Workflow.IsTrigger, (s, flag) => s with { Workflow = s.Workflow with { IsTrigger = flag } },
            SettingValue.Flag)
        {
            Places = Places.Publish,
            Value = "`true` `false`",
            Default = "`false`",
            Effect = "with a run's id: [starts](#trigger) the run, rather than going on with it",
        },
        new SettingHeader<string?>(
            RunHeaders.UrlName, s => s.Workflow.Url, (s, url) => s with { Workflow = s.Workflow with { Url = url } }, SettingValue.Text)
        {
            Places = Places.Publish,
            Value = "URL",
            Default = "the destination",
            Effect = "the workflow's URL, as its endpoint sees it",
        },
        new SettingHeader<bool>(
            "Upstash-Workflow-Calltype", s => s.Workflow.IsCall, (s, flag) => s with { Workflow = s.Workflow with { IsCall = flag } },
            SettingValue.IsCall)
        {
            Places = Places.Publish,
            Value = "`toCallback`, others are ignored",
            Effect = "makes a step a [call](#calls-of-a-run) of a third party",
        },
        new SettingHeader<bool>(
            "Upstash-Workflow-Invoke", s => s.Workflow.IsInvoke, (s, flag) => s with { Workflow = s.Workflow with { IsInvoke = flag } },
            SettingValue.Flag)
        {
            Places = Places.Publish,
            Value = "`true` `false`",
            Default = "`false`",
            Effect = "the run is [invoked](#invoke) by another one, which the body tells",
        },
        new SettingHeader<bool>(
            "Upstash-Workflow-Trigger-By-Sdk", s => s.Workflow.IsTriggeredBySdk,
            (s, flag) => s with { Workflow = s.Workflow with { IsTriggeredBySdk = flag } }, SettingValue.Flag)
        {
            Places = Places.Publish,
            Value = "`true` `false`",
            Default = "`false`",
            Effect = "takes the place of the [trigger](#trigger) that the endpoint got",
        },
        new SettingHeader<string?>(
            RunHeaders.UnknownSdkName, s => s.Workflow.UnknownSdk, (s, text) => s with { Workflow = s.Workflow with { UnknownSdk = text } },
            SettingValue.Text)
        {
            Places = Places.Publish,
            Value = "`true`",
            Effect = "of a [plain trigger](#plain-triggers): passed on, so that the SDK at the endpoint triggers the run itself",
        },
        new SettingHeader<string?>(
            RunHeaders.FeaturesName, s => s.Workflow.FeatureSet, (s, text) => s with { Workflow = s.Workflow with { FeatureSet = text } },
            SettingValue.Text)
        {
            IsList = true,
            Places = Places.Publish | Places.Callback,
            Value = "list",
            Effect = "[what the SDK can do](#features)",
        },
        new SettingHeader<string?>(
            "Upstash-Telemetry-Sdk", s => s.Workflow.TelemetrySdk, (s, text) => s with { Workflow = s.Workflow with { TelemetrySdk = text } },
            SettingValue.Text)
        {
            Places = Places.Publish,
            Value = "text",
            Effect = "[which SDK it is](#features)",
        },
    ];

    /// <summary>The callbacks: whatever stands behind one of these names and a hyphen is for the callback.</summary>
    public static readonly IReadOnlyList<CallbackHeader> Callbacks = [.. Settings.OfType<CallbackHeader>()];

    /// <summary>Those that each delivery of their message has too.</summary>
    public static readonly IReadOnlyList<SettingHeader> Delivered = [.. Settings.Where(header => header.Delivered is not null)];

    private static readonly FrozenDictionary<string, SettingHeader> s_byName =
        Settings.ToFrozenDictionary(header => header.Name, StringComparer.OrdinalIgnoreCase);

    /// <summary>The header of a name in any case; null when it means nothing.</summary>
    public static SettingHeader? Find(string name) => s_byName.GetValueOrDefault(name);

    /// <summary>The header of a name in any case that is about the body; null when it is none.</summary>
    public static BodyHeader? FindOfTheBody(string name)
    {
        foreach (var header in OfTheBody)
        {
            if (header.Name.Equals(name, StringComparison.OrdinalIgnoreCase))
                return header;
        }
        return null;
    }
}

/// <summary>A header of the publish that is one of the delivery.</summary>
/// <param name="IsList">True for a comma-separated list: several lines of it are one list (RFC 9110 §5.3).</param>
/// <param name="Effect">What it does, for the table in docs/protocol.md.</param>
internal sealed record BodyHeader(string Name, bool IsList, string Effect);
