using System.Text.Json;
using FuncStash.Access;
using FuncStash.DeadLetters;
using FuncStash.Messages;
using FuncStash.Publishing;
using FuncStash.Settings;
using FuncStash.Workflows;

namespace FuncStash.Http;

/// <summary><c>/v2/dlq</c>: the dead letters (protocol#dead-letters).</summary>
public sealed class DlqResource(
    DeadLetterStore letters, DeadLetterReader reader, DeadLetterGroups groups, RunDlqResource ofRuns, RunLetters runLetters, DeadLetterRetry retry, PageAnswer pages, FuncStashOptions options) : IResource
{
    private const int SideBySide = 16;

    public IEnumerable<Route> Routes =>
    [
        new("GET", "/v2/dlq", AccessLevel.Read, ListAsync),
        new("GET", "/v2/dlq/groups", AccessLevel.Read, GroupsAsync),
        new("GET", "/v2/dlq/{id}", AccessLevel.Read, GetAsync),
        new("DELETE", "/v2/dlq/{id}", AccessLevel.Full, DeleteAsync),
        new("DELETE", "/v2/dlq", AccessLevel.Full, DeleteManyAsync),
    ];

    private Task ListAsync(ApiCall call)
    {
        if (call.Target["source"] == "workflow")
            return ofRuns.ListAsync(call);
        var query = DlqParameters.OfList(call);
        var entries = query is null
            ? AsyncEnumerable.Empty<IPageEntry>()
            : reader.ReadAsync(query, call.Aborted).Where(letter => !letter.Id.IsOfRun).Select(IPageEntry (letter) => new Line(letter, letters, options));
        return pages.WriteAsync(call, ["messages"], entries, query?.Count ?? 0);
    }

    private sealed class Line(DeadLetter listed, DeadLetterStore letters, FuncStashOptions options) : IPageEntry
    {
        private DeadLetter? _letter;
        private byte[] _body = [];

        public string Cursor => listed.Id.ToString();

        public int Weight => PageAnswer.WeightOf(listed.Message, options) + (listed.ResponseSize ?? AttemptOutcome.Response.MaxBodyBytes);

        // One that is removed meanwhile may have taken its payload along.
        public async ValueTask<bool> LoadAsync(CancellationToken cancellation)
        {
            if (await letters.GetAsync(listed.Id, cancellation) is not { } letter
                || await BodyAsync(letters, letter, cancellation) is not { } body)
                return false;
            (_letter, _body) = (letter, body);
            return true;
        }

        public void Write(Utf8JsonWriter json) => DlqResource.Write(json, _letter!, _body);
    }

    // Not part of QStash.
    private async Task GroupsAsync(ApiCall call)
    {
        var (alike, isPart) = DlqParameters.OfList(call) is { } query ? await groups.ReadAsync(query, call.Aborted) : ([], false);
        await DlqAnswer.WriteGroupsAsync(call, alike, isPart);
    }

    private async Task GetAsync(ApiCall call)
    {
        if (!DlqId.TryParse(call.Values[0], out var id))
            throw DlqAnswer.NotFound(call);
        if (id.IsOfRun)
        {
            await ofRuns.GetAsync(call);
            return;
        }
        if (await letters.GetAsync(id, call.Aborted) is not { } letter || await BodyAsync(letters, letter, call.Aborted) is not { } body)
            throw DlqAnswer.NotFound(call);
        await call.JsonAsync(200, json => Write(json, letter, body));
    }

    private async Task DeleteAsync(ApiCall call)
    {
        if (!DlqId.TryParse(call.Values[0], out var id) || !await RemoveAsync(id, call.Aborted))
            throw DlqAnswer.NotFound(call);
        await DlqAnswer.DeletedAsync(call, 1, null);
    }

    private async Task DeleteManyAsync(ApiCall call)
    {
        if (call.Target["source"] == "workflow")
        {
            await ofRuns.DeleteManyAsync(call);
            return;
        }
        var query = await DlqParameters.OfBulkAsync(call);
        var page = query is null or { Ids: not null } ? new DeadLetterPage([], null) : await reader.ListAsync(query, call.Aborted);
        var deleted = 0;
        foreach (var some in (query?.Ids ?? page.Letters.Select(letter => letter.Id)).Chunk(SideBySide))
        {
            var results = await Task.WhenAll(some.Select(id => RemoveAsync(id, call.Aborted).AsTask()));
            deleted += results.Count(removed => removed);
        }
        await DlqAnswer.DeletedAsync(call, deleted, page.Next);
    }

    // Of a run's letter its run has to know.
    private ValueTask<bool> RemoveAsync(DlqId id, CancellationToken cancellation) =>
        id.IsOfRun ? runLetters.RemoveAsync(id, cancellation) : retry.DeleteAsync(id, cancellation);

    /// <summary>Its payload; null when the letter is gone, payload and all.</summary>
    internal static async ValueTask<byte[]?> BodyAsync(
        DeadLetterStore letters, DeadLetter letter, CancellationToken cancellation)
    {
        try
        {
            return await letters.BodyAsync(letter, cancellation);
        }
        catch (InvalidDataException)
        {
            if (await letters.LookAsync(letter.Id, cancellation) is null)
                return null;
            throw;
        }
    }

    /// <summary>A dead letter as JSON, redacted where it is to be.</summary>
    internal static void Write(Utf8JsonWriter json, DeadLetter letter, byte[] body)
    {
        json.WriteStartObject();
        json.WriteString("dlqId", letter.Id.ToString());
        MessageAnswer.WriteFields(json, letter.Message, body);
        DlqAnswer.WriteResponse(json, letter);
        json.WriteEndObject();
    }
}
