using System.Buffers;
using System.IO.Pipelines;
using System.Text;
using System.Text.Json;
using FuncStash.Messages;
using FuncStash.Settings;
using FuncStash.Wire;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Core.Features;

namespace FuncStash.Http;

/// <summary>One entry of a list that is written page by page.</summary>
internal interface IPageEntry
{
    /// <summary>The cursor of the page after one that ends with this entry.</summary>
    string Cursor { get; }

    /// <summary>The most that <see cref="LoadAsync"/> brings into memory, in bytes.</summary>
    int Weight { get; }

    /// <summary>Reads what the list left out; false when the entry is gone meanwhile.</summary>
    ValueTask<bool> LoadAsync(CancellationToken cancellation);

    void Write(Utf8JsonWriter json);
}

/// <summary>
/// Answers with pages of lists, each written as it is read: it ends by count or by bytes, and its cursor goes on. Of what
/// is too big for a list to read it holds some megabytes at a time, and so do only a few requests at once; more wait.
/// </summary>
public sealed class PageAnswer(TimeProvider time) : IDisposable
{
    /// <summary>After so many bytes a page takes no further entry. It has one at least.</summary>
    public const int MaxBytes = 8 * 1024 * 1024;

    // So much is loaded side by side at most, so much by anybody, and so much is written before the client has to take it.
    private const int GroupBytes = 2 * 1024 * 1024, LightBytes = 512 * 1024, GroupEntries = 16, FlushBytes = 64 * 1024;

    // Big payloads lie where the collector comes by seldom: after so many bytes of them it is called.
    private const int GarbageBytes = 8 * 1024 * 1024;

    // Whoever takes one of the few places has to read on: in bytes a second.
    private static readonly MinDataRate s_slowest = new(16 * 1024, TimeSpan.FromSeconds(10));

    private readonly PagePlaces _places = new(time);
    private long _loaded;

    /// <summary>Answers 200 with an object that holds the entries and, where more follow, <c>cursor</c>.</summary>
    /// <param name="call">The call.</param>
    /// <param name="names">Under which names the entries are, each time the same ones.</param>
    /// <param name="entries">All entries from the page's start on.</param>
    /// <param name="count">The most entries of the page.</param>
    internal async Task WriteAsync(
        ApiCall call, IReadOnlyList<string> names, IAsyncEnumerable<IPageEntry> entries, int count)
    {
        await using var page = new Page(call, entries, this);
        await page.NextAsync(count);
        using var body = new Body(call.Context.Response, page, copies: names.Count > 1);
        if (HttpMethods.IsHead(call.Request.Method))
            return;
        body.Text($"{{\"{names[0]}\":[");
        var cursor = await WriteAsync(page, body, count, MaxBytes / names.Count, call.Aborted);
        foreach (var name in names.Skip(1))
        {
            body.Text($"],\"{name}\":[");
            await body.EntriesAgainAsync(call.Aborted);
        }
        // A cursor needs no escapes: digits, bars, and letters of ids.
        body.Text(cursor is null ? "]}" : $"],\"cursor\":\"{cursor}\"}}");
        await body.FlushAsync(call.Aborted);
    }

    /// <summary>Answers 200 with an array of all items, each as <paramref name="write"/> has it: some lists have no pages.</summary>
    internal Task WriteAllAsync<T>(ApiCall call, IAsyncEnumerable<T> items, Action<Utf8JsonWriter, T> write) =>
        WriteAllAsync(call, items.Select(IPageEntry (item) => new Item<T>(item, write)));

    /// <summary>The same of entries that are loaded.</summary>
    internal async Task WriteAllAsync(ApiCall call, IAsyncEnumerable<IPageEntry> entries)
    {
        await using var page = new Page(call, entries, this);
        await page.NextAsync(int.MaxValue);
        using var body = new Body(call.Context.Response, page, copies: false);
        if (HttpMethods.IsHead(call.Request.Method))
            return;
        body.Text("[");
        await WriteAsync(page, body, int.MaxValue, long.MaxValue, call.Aborted);
        body.Text("]");
        await body.FlushAsync(call.Aborted);
    }

    // The cursor of the last entry that was written; null when no other follows.
    private static async Task<string?> WriteAsync(Page page, Body body, int count, long bytes, CancellationToken cancellation)
    {
        string? last = null;
        for (; page.Group.Count > 0; await page.NextAsync(count))
        {
            foreach (var entry in page.Group)
            {
                if (count == 0 || body.EntryBytes >= bytes)
                    return last;
                await body.EntryAsync(entry, cancellation);
                last = entry.Cursor;
                count--;
            }
        }
        return null;
    }

    /// <summary>What the payload of a message takes in memory at most, in bytes.</summary>
    internal static int WeightOf(Message message, FuncStashOptions options) =>
        message.BodySize ?? (message.BodyName is null ? MessageRows.InlineBodyBytes : options.MaxBodyBytes);

    public void Dispose() => _places.Dispose();

    private void NoteLoading(int bytes)
    {
        if (Interlocked.Add(ref _loaded, bytes) >= GarbageBytes && Interlocked.Exchange(ref _loaded, 0) >= GarbageBytes)
            GC.Collect(GC.MaxGeneration, GCCollectionMode.Forced, blocking: true, compacting: false);
    }

    /// <summary>An item that has all that is written of it.</summary>
    private sealed class Item<T>(T item, Action<Utf8JsonWriter, T> write) : IPageEntry
    {
        public string Cursor => "";

        public int Weight => 0;

        public ValueTask<bool> LoadAsync(CancellationToken cancellation) => new(true);

        public void Write(Utf8JsonWriter json) => write(json, item);
    }

    /// <summary>Takes entries in groups, and loads what each group's entries lack.</summary>
    private sealed class Page(ApiCall call, IAsyncEnumerable<IPageEntry> entries, PageAnswer all) : IAsyncDisposable
    {
        private readonly IAsyncEnumerator<IPageEntry> _entries = entries.GetAsyncEnumerator(call.Aborted);
        private IPageEntry? _next;

        /// <summary>Its place among those with payloads, once it has one.</summary>
        public PagePlaces.Place? Place { get; private set; }

        /// <summary>The entries to write now; none at the end.</summary>
        public List<IPageEntry> Group { get; } = [];

        /// <summary>Goes on to the next group, of so many entries and one more, which tells whether any follow.</summary>
        public async Task NextAsync(int left)
        {
            Group.Clear();
            do
            {
                var weight = 0;
                var some = new List<IPageEntry>(GroupEntries);
                while (some.Count < GroupEntries && some.Count <= left && await PeekAsync() is { } entry)
                {
                    weight += entry.Weight;
                    if (some.Count > 0 && weight > GroupBytes)
                        break;
                    some.Add(entry);
                    _next = null;
                }
                if (some.Count == 0)
                    return;
                if (weight > LightBytes)
                {
                    await TakePlaceAsync();
                    all.NoteLoading(weight);
                }
                var loaded = await Task.WhenAll(some.Select(entry => entry.LoadAsync(call.Aborted).AsTask()));
                Group.AddRange(some.Where((_, i) => loaded[i]));
            }
            while (Group.Count == 0);
        }

        private async ValueTask<IPageEntry?> PeekAsync() =>
            _next ??= await _entries.MoveNextAsync() ? _entries.Current : null;

        private async Task TakePlaceAsync()
        {
            if (Place is not null)
                return;
            Place = await all._places.TakeAsync(call.Context);
            if (call.Context.Features.Get<IHttpMinResponseDataRateFeature>() is { } rate)
                rate.MinDataRate = s_slowest;
        }

        public ValueTask DisposeAsync()
        {
            Place?.Dispose();
            return _entries.DisposeAsync();
        }
    }

    /// <summary>The answer's body. Entries that are to come again are kept as they were written.</summary>
    private sealed class Body : IDisposable
    {
        private readonly PipeWriter _response;
        private readonly Page _page;
        private readonly Pipe? _copy;
        private readonly Utf8JsonWriter _json;
        private long _copied, _unflushed;

        public Body(HttpResponse response, Page page, bool copies)
        {
            _page = page;
            response.StatusCode = 200;
            response.ContentType = "application/json";
            _response = response.BodyWriter;
            _copy = copies ? new Pipe(new PipeOptions(pauseWriterThreshold: 0, minimumSegmentSize: FlushBytes)) : null;
            _json = new Utf8JsonWriter(_copy?.Writer ?? _response, JsonText.Options);
        }

        /// <summary>What the entries have taken so far.</summary>
        public long EntryBytes { get; private set; }

        public void Text(string text) => _unflushed += Encoding.UTF8.GetBytes(text, _response);

        public async ValueTask EntryAsync(IPageEntry entry, CancellationToken cancellation)
        {
            if (EntryBytes > 0)
                Bytes(_copy?.Writer ?? _response, ","u8);
            _json.Reset();
            entry.Write(_json);
            _json.Flush();
            EntryBytes += _json.BytesCommitted + 1;
            _unflushed += _json.BytesCommitted + 1;
            if (_copy is not null)
                await CopyAsync(cancellation);
            if (_unflushed >= FlushBytes)
                await FlushAsync(cancellation);
        }

        public async ValueTask EntriesAgainAsync(CancellationToken cancellation)
        {
            _copied = 0;
            await CopyAsync(cancellation);
        }

        public async ValueTask FlushAsync(CancellationToken cancellation)
        {
            _unflushed = 0;
            var flushing = _response.FlushAsync(cancellation);
            if (_page.Place is { } place)
                await place.WaitForClientAsync(flushing);
            else
                await flushing;
        }

        public void Dispose()
        {
            _json.Dispose();
            _copy?.Writer.Complete();
            _copy?.Reader.Complete();
        }

        // Kestrel may have an empty rest of a chunk for whoever asks for room without saying how much.
        private static void Bytes(PipeWriter writer, ReadOnlySpan<byte> bytes)
        {
            while (!bytes.IsEmpty)
            {
                var room = writer.GetSpan(1);
                var count = Math.Min(room.Length, bytes.Length);
                bytes[..count].CopyTo(room);
                writer.Advance(count);
                bytes = bytes[count..];
            }
        }

        // What was not copied yet, leaving it where it is.
        private async ValueTask CopyAsync(CancellationToken cancellation)
        {
            await _copy!.Writer.FlushAsync(cancellation);
            if (!_copy.Reader.TryRead(out var kept))
                return;
            foreach (var part in kept.Buffer.Slice(_copied))
            {
                Bytes(_response, part.Span);
                _unflushed += part.Length;
                if (_unflushed >= FlushBytes)
                    await FlushAsync(cancellation);
            }
            _copied = kept.Buffer.Length;
            _copy.Reader.AdvanceTo(kept.Buffer.Start);
        }
    }
}
