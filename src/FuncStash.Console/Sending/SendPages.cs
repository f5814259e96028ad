using System.Text;
using FuncStash.Access;
using FuncStash.Console.Access;
using FuncStash.Console.Messages;
using FuncStash.Console.Serving;
using FuncStash.Headers;
using FuncStash.Messages;
using FuncStash.Publishing;
using FuncStash.Schedules;
using FuncStash.Settings;
using FuncStash.Wire;

namespace FuncStash.Console.Sending;

/// <summary>The request builder: a message, one for a queue, a batch of one, a schedule; new, or like one that is there.</summary>
internal sealed class SendPages(
    Acceptance acceptance, MessageStore messages, SendAgain again, ScheduleStore schedules, FuncStashOptions options) : IPages
{
    public IEnumerable<PageRoute> Routes =>
    [
        new("GET", "/send", AccessLevel.Full, ShowAsync),
        new("POST", "/send", AccessLevel.Full, SendAsync),
    ];

    private async Task<PageResult> ShowAsync(ConsoleCall call)
    {
        // The name is in the address, so that who goes back to it, or loads it anew, has the same form.
        if (Once.Checked(call.Query(Once.Name)) is not { } name)
            return new PageResult.Redirect(NamedUrl(call));
        var form = call.Query("message") is { } message ? await OfMessageAsync(message, call.Aborted)
            : call.Query("schedule") is { } schedule ? await OfScheduleAsync(schedule, call.Aborted)
            : SendForm.Of(call.Query);
        if (form is { Destination: "", BodyOf: null, Body: "" } && EchoUrl(call) is { } echo)
            form = form with { Destination = echo, ContentType = "application/json", Body = """{"hello":"world"}""" };
        return Page(call, form with { Name = name }, null, 200);
    }

    private static string NamedUrl(ConsoleCall call)
    {
        var asked = call.Call.Target.Parameters.Where(parameter => parameter.Key != Once.Name)
            .Select(parameter => $"{Uri.EscapeDataString(parameter.Key)}={Uri.EscapeDataString(parameter.Value)}&");
        return $"send?{string.Concat(asked)}{Once.Name}={Once.New()}";
    }

    private async Task<PageResult> SendAsync(ConsoleCall call)
    {
        var form = SendForm.Of(call.Field);
        if (call.Field("do") == "code")
            return Page(call, form, null, 200);
        try
        {
            var body = form.BodyOf is { } source ? await BodyAsync(source, call.Aborted) : Encoding.UTF8.GetBytes(form.Body);
            var request = form.ToRequest(body, call.Call.CallerIp, options) with { Once = Once.Of(form, body) };
            var isThere = request is { Once: { } once, Settings: { Cron: not null, ScheduleId: null } }
                && await schedules.LookAsync(Scheduler.NewId(once), call.Aborted) is not null;
            var accepted = form.Mode == SendMode.Batch
                ? (await acceptance.AcceptAsync([request], call.Aborted))[0]
                : await acceptance.AcceptAsync(request, call.Aborted);
            return accepted switch
            {
                Accepted.Messages sent => Once.After(
                    sent.Result, new MessageSearch().With("topicName", form.Destination).Url,
                    hasOwnId: request.Settings is not { DeduplicationId: null, ContentBasedDeduplication: not true }),
                Accepted.Schedule schedule => new PageResult.Redirect($"schedules/{schedule.Id}?done={(isThere ? "saved-before" : "saved")}"),
                Accepted.Refused refused => Page(call, form, FieldRefusal.Of(refused.Reason.Message), refused.Reason.Status),
                _ => throw new InvalidOperationException("not reached"),
            };
        }
        catch (QStashException refusal)
        {
            return Page(call, form, FieldRefusal.Of(refusal.Message), refusal.Status);
        }
    }

    private PageResult.View Page(ConsoleCall call, SendForm form, FieldRefusal? refusal, int status)
    {
        IReadOnlyList<CodeSample> samples = [];
        try
        {
            samples = CodeSamples.Of(form);
        }
        catch (QStashException unreadable)
        {
            refusal ??= FieldRefusal.Of(unreadable.Message);
        }
        return new PageResult.View("Send", typeof(SendPage), new SendModel(form, refusal, EchoUrl(call), samples)) { Status = status };
    }

    private async ValueTask<SendForm> OfMessageAsync(string text, CancellationToken cancellation)
    {
        var message = (await FindAsync(text, cancellation)).Message;
        ThrowIfRedacted(message.Redact);
        return SendForm.Of(
            PublishSettingsWriter.SettingsOf(message), SendAgain.DestinationOf(message), await again.BodyAsync(message, cancellation), "message:" + text);
    }

    private async ValueTask<SendForm> OfScheduleAsync(string id, CancellationToken cancellation)
    {
        var schedule = ResourceName.IsValid(id) ? await schedules.GetAsync(id, cancellation) : null;
        if (schedule is null || await schedules.BodyAsync(schedule, cancellation) is not { } body)
            throw QStashException.NotFound("There is no schedule of this id.");
        ThrowIfRedacted(schedule.Spec.Settings.Redact);
        return SendForm.Of(
            schedule.Spec.Settings with { Cron = schedule.Spec.Cron, ScheduleId = id }, schedule.Spec.Destination, body, "schedule:" + id);
    }

    private async ValueTask<byte[]> BodyAsync(string source, CancellationToken cancellation)
    {
        if (source.StartsWith("message:", StringComparison.Ordinal))
        {
            var message = (await FindAsync(source["message:".Length..], cancellation)).Message;
            ThrowIfRedacted(message.Redact);
            return await again.BodyAsync(message, cancellation);
        }
        if (source.StartsWith("schedule:", StringComparison.Ordinal) && ResourceName.IsValid(source["schedule:".Length..])
            && await schedules.GetAsync(source["schedule:".Length..], cancellation) is { } schedule)
        {
            ThrowIfRedacted(schedule.Spec.Settings.Redact);
            if (await schedules.BodyAsync(schedule, cancellation) is { } body)
                return body;
        }
        throw QStashException.NotFound("The payload that was to be sent again is gone.");
    }

    private async ValueTask<StoredMessage> FindAsync(string text, CancellationToken cancellation) =>
        MessageId.TryParse(text, out var id) && await messages.LookAsync(id, cancellation) is { } stored
            ? stored
            : throw QStashException.NotFound("There is no message of this id, or it ended longer ago than messages are kept.");

    // To edit is to see, and so is to send elsewhere.
    private static void ThrowIfRedacted(string? redact)
    {
        if (redact is not null)
            throw new QStashException(403, "Parts of it are redacted, so it cannot be shown to be edited. A message can be sent again as it is.");
    }

    private string? EchoUrl(ConsoleCall call) => EchoResource.IsOn(options)
        ? $"{(SameOrigin.IsSecure(call.Request) ? "https" : "http")}://{call.Request.Host.Value}{EchoResource.Path}"
        : null;
}
