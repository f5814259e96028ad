using System.Globalization;
using System.Runtime.CompilerServices;
using System.Security.Cryptography;
using System.Text;
using FuncStash.Messages;
using FuncStash.Settings;
using FuncStash.Storage;

namespace FuncStash.Runs;

/// <summary>Tells which runs wait for an event, so that no notification scans.</summary>
/// <remarks>
/// An entry is made before the wait it stands for, and removed after it, so no wait is without one. Whether a run waits,
/// its own row decides; an entry without a wait means nothing.
/// </remarks>
public sealed class WaiterIndex(ITables tables, TimeProvider time)
{
    internal const string Table = "waiters";

    private const int PageSize = 500;

    // Long enough for a wait to be stored after its entry.
    private static readonly TimeSpan s_patience = TimeSpan.FromMinutes(10);

    public async ValueTask AddAsync(string name, MessageId run, int step, CancellationToken cancellation = default)
    {
        var hash = HashOf(name);
        var row = new Entity(Partition(hash), Row(hash, run, step), new Dictionary<string, object>
        {
            ["Event"] = Encoding.UTF8.GetBytes(name),
            ["At"] = Now,
        });
        await tables.CommitAsync(new Commit(Table, row.PartitionKey, [new Write.Upsert(row)]), cancellation);
    }

    public async ValueTask RemoveAsync(string name, MessageId run, int step, CancellationToken cancellation = default)
    {
        var hash = HashOf(name);
        await tables.CommitAsync(new Commit(Table, Partition(hash), [new Write.Delete(Row(hash, run, step), null)]), cancellation);
    }

    /// <summary>
    /// The runs and steps that may wait for an event, longest waiting run first, page by page: all of one run in one page, and
    /// none that came to wait while they were read. What is notified may go on and wait for the same event anew.
    /// </summary>
    public async IAsyncEnumerable<IReadOnlyList<WaiterEntry>> PagesAsync(string name, [EnumeratorCancellation] CancellationToken cancellation = default)
    {
        var hash = HashOf(name);
        var (partition, range) = (Partition(hash), RowRange.Prefix(hash + "|"));
        var (old, latest) = (Now - (long)s_patience.TotalMilliseconds, Now + Clocks.SkewMs);
        var isLast = false;
        while (!isLast)
        {
            var rows = (await tables.QueryAsync(Table, partition, range, PageSize, ["At"], cancellation)).ToList();
            isLast = rows.Count < PageSize;
            if (!isLast)
            {
                var run = RunOf(rows[^1]).Text;
                var rest = new RowRange(rows[^1].RowKey, $"{hash}|{run}|~", Exclusive: true);
                await foreach (var row in new RowPages(tables, Table, partition, rest, ["At"]).AllAsync(cancellation))
                    rows.Add(row);
                range = range with { From = rest.To!, Exclusive = true };
            }
            yield return
            [
                .. rows.Where(row => row.Number("At") <= latest).Select(row => new WaiterEntry(RunOf(row), StepOf(row), IsOld: row.Number("At") < old)),
            ];
        }
    }

    /// <summary>One of the parts that all entries lie in, of <see cref="Parts"/>.</summary>
    internal static string PartitionAt(int part) => part.ToString("x2", CultureInfo.InvariantCulture);

    internal const int Parts = 256;

    internal static MessageId RunOf(Entity row) => MessageId.Parse(row.RowKey.Split('|')[1]);

    internal static int StepOf(Entity row) => int.Parse(row.RowKey.AsSpan(row.RowKey.LastIndexOf('|') + 1), CultureInfo.InvariantCulture);

    internal static string EventOf(Entity row) => Encoding.UTF8.GetString(row.Bytes("Event")!);

    private static string HashOf(string name) =>
        Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(name)).AsSpan(0, 16));

    private static string Partition(string hash) => hash[..2];

    private static string Row(string hash, MessageId run, int step) => $"{hash}|{run.Text}|{StepKey.Prefix(step)}";

    private long Now => time.GetUtcNow().ToUnixTimeMilliseconds();
}

/// <summary>An entry of the index.</summary>
/// <param name="Run">The run's key.</param>
/// <param name="Step">The number of the step that waits.</param>
/// <param name="IsOld">True when the wait is stored by now, if it ever will be.</param>
public sealed record WaiterEntry(MessageId Run, int Step, bool IsOld);
