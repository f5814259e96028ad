using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using FuncStash.Messages;
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
        var partition = Partition(name);
        var row = new Entity(partition, Row(run, step), new Dictionary<string, object>
        {
            ["Event"] = Encoding.UTF8.GetBytes(name),
            ["At"] = time.GetUtcNow().ToUnixTimeMilliseconds(),
        });
        await tables.CommitAsync(new Commit(Table, partition, [new Write.Upsert(row)]), cancellation);
    }

    public async ValueTask RemoveAsync(string name, MessageId run, int step, CancellationToken cancellation = default) =>
        await tables.CommitAsync(new Commit(Table, Partition(name), [new Write.Delete(Row(run, step), null)]), cancellation);

    /// <summary>The runs and steps that may wait for an event, longest waiting run first.</summary>
    public async ValueTask<IReadOnlyList<WaiterEntry>> FindAsync(string name, CancellationToken cancellation = default)
    {
        var (partition, range) = (Partition(name), RowRange.Prefix(""));
        var old = (time.GetUtcNow() - s_patience).ToUnixTimeMilliseconds();
        var found = new List<WaiterEntry>();
        while (true)
        {
            var rows = await tables.QueryAsync(Table, partition, range, PageSize, cancellation: cancellation);
            foreach (var row in rows)
            {
                var bar = row.RowKey.IndexOf('|', StringComparison.Ordinal);
                found.Add(new WaiterEntry(
                    MessageId.Parse(row.RowKey[..bar]), int.Parse(row.RowKey.AsSpan(bar + 1), CultureInfo.InvariantCulture),
                    IsOld: row.Number("At") < old));
            }
            if (rows.Count < PageSize)
                return found;
            range = range with { From = rows[^1].RowKey, Exclusive = true };
        }
    }

    private static string Partition(string name) =>
        Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(name)).AsSpan(0, 16));

    private static string Row(MessageId run, int step) => $"{run.Text}|{StepKey.Prefix(step)}";
}

/// <summary>An entry of the index.</summary>
/// <param name="Run">The run's key.</param>
/// <param name="Step">The number of the step that waits.</param>
/// <param name="IsOld">True when the wait is stored by now, if it ever will be.</param>
public sealed record WaiterEntry(MessageId Run, int Step, bool IsOld);
