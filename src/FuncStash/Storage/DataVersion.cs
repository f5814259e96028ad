namespace FuncStash.Storage;

/// <summary>
/// The version of what the rows of a store mean. A program takes data of its own version and of every earlier one; what a later
/// one wrote it does not open, since it could misread it.
/// </summary>
/// <remarks>
/// <para>1: data without a version, as it was before there was this row.</para>
/// <para>2: the first that is told. Rows of version 1 are read as they are and get their new form when they are written again.</para>
/// <para>
/// 3: with workflow runs. The messages of a run lie among all others, but what they deliver is made from the run's history, and
/// their outcome is the run's: an earlier program would deliver a step's bare text and drop what follows from it, without a word.
/// </para>
/// <para>
/// 4: in an Azure account the partitions of a day lie elsewhere, from a day on that the account tells: an earlier program would not find
/// what lies there.
/// </para>
/// </remarks>
public static class DataVersion
{
    public const int Current = 4;

    private const string Table = "upkeep", Partition = "data", Row = "version", Number = "number", Born = "born";

    // Where the service notes the days that have messages or log entries: an account without a version that has none is new.
    private const string Days = "days";

    // A start does not wait longer for a store that is away.
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(10);

    /// <summary>What a host does before it serves anybody. A store that does not answer is left for later: /ready tells of it.</summary>
    /// <param name="tables">The store's tables.</param>
    /// <param name="log">Where it says that the store did not answer.</param>
    /// <exception cref="NewerDataException">The data are of a later version.</exception>
    public static async Task CheckAsync(ITables tables, TextWriter log)
    {
        using var limit = new CancellationTokenSource(s_patience);
        try
        {
            await EnsureAsync(tables, limit.Token);
        }
        catch (Exception error) when (error is not NewerDataException)
        {
            await log.WriteLineAsync($"funcstash: the version of the data could not be read: {error.Message}");
        }
    }

    /// <summary>Brings a store that holds older data forward, and marks an empty one.</summary>
    /// <exception cref="NewerDataException">The data are of a later version; nothing was changed.</exception>
    public static async Task EnsureAsync(ITables tables, CancellationToken cancellation = default)
    {
        while (true)
        {
            var row = await tables.GetAsync(Table, Partition, Row, cancellation);
            switch (row?.Number(Number) ?? 1)
            {
                case > Current and var newer:
                    throw new NewerDataException(newer);
                case Current:
                    return;
            }
            var values = new Dictionary<string, object>(row?.Values ?? new Dictionary<string, object>()) { [Number] = (long)Current };
            if (row is null && (await tables.QueryAsync(Days, Days, RowRange.Prefix(""), 1, only: [], cancellation)).Count == 0)
                values[Born] = (long)Current;
            var told = new Entity(Partition, Row, values);
            Write write = row is null ? new Write.Insert(told) : new Write.Replace(told, row.ETag!);
            if ((await tables.CommitAsync(new Commit(Table, Partition, [write]), cancellation)).Applied)
                return;
            // Another process was at it at the same time: what did it say?
        }
    }

    /// <summary>The version that a store began with; 1 where that was not noted.</summary>
    public static async ValueTask<long> BornAsync(ITables tables, CancellationToken cancellation = default) =>
        (await tables.GetAsync(Table, Partition, Row, cancellation))?.Number(Born) ?? 1;
}

/// <summary>The data were written by a later version of the program than this one.</summary>
public sealed class NewerDataException(long version) : Exception(
    $"the data are of version {version}, written by a later version of FuncStash; this one reads versions 1 to {DataVersion.Current}. "
    + "Start the later one again, or give this one another place for its data.");
