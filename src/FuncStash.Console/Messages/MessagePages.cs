using System.Globalization;
using FuncStash.Access;
using FuncStash.Console.Sending;
using FuncStash.Console.Serving;
using FuncStash.Logs;
using FuncStash.Messages;
using FuncStash.Publishing;
using FuncStash.Wire;
using FuncStash.Workflows;

namespace FuncStash.Console.Messages;

/// <summary>The list of messages, and each of them.</summary>
internal sealed class MessagePages(
    LogReader log, MessageStore messages, MessageReader reader, SendAgain again, MessageCancellation cancellation, TimeProvider time) : IPages
{
    public IEnumerable<PageRoute> Routes =>
    [
        new("GET", "/messages", AccessLevel.Read, ListAsync),
        new("GET", "/messages/{id}", AccessLevel.Read, ShowAsync),
        new("GET", "/messages/{id}/body", AccessLevel.Read, BodyAsync),
        new("POST", "/messages/{id}/cancel", AccessLevel.Full, CancelAsync),
        new("POST", "/messages/{id}/send", AccessLevel.Full, SendAsync),
    ];

    private async Task<PageResult> ListAsync(ConsoleCall call)
    {
        var search = MessageSearch.Of(call.Query);
        if (MessageId.TryParse(search.Text, out var id) && await messages.LookAsync(id, call.Aborted) is not null)
            return new PageResult.Redirect("messages/" + id.Text);
        var page = await log.ListAsync(search.ToQuery(Now), call.Aborted);
        return new PageResult.View("Messages", typeof(MessageListPage), new MessageListModel(search, page, call.Query("done")));
    }

    private async Task<PageResult> ShowAsync(ConsoleCall call)
    {
        var stored = await FindAsync(call);
        int? latest = int.TryParse(call.Query("attempt"), NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : null;
        var model = await reader.ReadAsync(stored, allOfBody: call.Query("body") == "all", latest, call.Aborted);
        return new PageResult.View(stored.Id.Text, typeof(MessagePage), model with { Done = call.Query("done") });
    }

    private async Task<PageResult> BodyAsync(ConsoleCall call)
    {
        var stored = await FindAsync(call);
        if (MessageReader.IsBodyRedacted(stored.Message))
            throw new QStashException(403, "The body of this message is redacted.");
        return new PageResult.Raw("application/octet-stream", await messages.BodyAsync(stored.Message, call.Aborted))
        {
            FileName = stored.Id.Text + ".body",
        };
    }

    private async Task<PageResult> CancelAsync(ConsoleCall call)
    {
        var stored = await FindAsync(call);
        var done = await cancellation.CancelAsync(stored.Id, call.Aborted);
        return new PageResult.Redirect($"messages/{stored.Id.Text}?done={(done ? "cancelled" : "ended")}");
    }

    private async Task<PageResult> SendAsync(ConsoleCall call)
    {
        var stored = await FindAsync(call);
        var published = await again.SendAsync(stored, call.Call.CallerIp, Once.Of(call, "again|" + stored.Id.Text), call.Aborted);
        return new PageResult.Redirect($"messages/{published.Id.Text}?done={(published.Deduplicated ? "sent-before" : "sent")}");
    }

    private async ValueTask<StoredMessage> FindAsync(ConsoleCall call) =>
        MessageId.TryParse(call.Values[0], out var id) && await messages.LookAsync(id, call.Aborted) is { } stored
            ? stored
            : throw QStashException.NotFound("There is no message of this id, or it ended longer ago than messages are kept.");

    private long Now => time.GetUtcNow().ToUnixTimeMilliseconds();
}
