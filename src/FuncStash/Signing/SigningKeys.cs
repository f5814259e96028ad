using FuncStash.Settings;
using FuncStash.Storage;

namespace FuncStash.Signing;

/// <summary>The pair of keys: deliveries are signed with the first, receivers also accept the second.</summary>
public sealed record SigningKeyPair(string Current, string Next);

/// <summary>The signing keys: the configured ones until the first rotation, then the stored ones (protocol#keys).</summary>
public sealed class SigningKeys(ITables tables, FuncStashOptions options, TimeProvider time)
{
    private const string Table = "keys", Partition = "signing", Row = "pair";

    // How long another process may go on signing with the old key, which receivers then no longer know as current.
    private static readonly TimeSpan s_maxAge = TimeSpan.FromSeconds(5);

    private SigningKeyPair? _pair;
    private long _readAt;

    public ValueTask<SigningKeyPair> GetAsync(CancellationToken cancellation = default) =>
        Volatile.Read(ref _pair) is { } pair && time.GetElapsedTime(Volatile.Read(ref _readAt)) < s_maxAge
            ? ValueTask.FromResult(pair)
            : ReadAsync(cancellation);

    /// <summary>Makes the next key the current one and a new random key the next.</summary>
    public ValueTask<SigningKeyPair> RotateAsync(CancellationToken cancellation = default) => RotateAsync(_ => true, cancellation);

    /// <summary>The same if the keys are the ones meant: asked for twice, they are rotated once.</summary>
    /// <param name="isMeant">Whether this is the pair that is to be rotated.</param>
    /// <param name="cancellation">Stops the work.</param>
    /// <returns>The pair that holds now.</returns>
    public async ValueTask<SigningKeyPair> RotateAsync(Func<SigningKeyPair, bool> isMeant, CancellationToken cancellation = default)
    {
        while (true)
        {
            var row = await tables.GetAsync(Table, Partition, Row, cancellation);
            if (!isMeant(FromRow(row)))
                return Keep(FromRow(row));
            var rotated = new SigningKeyPair(FromRow(row).Next, Signer.NewKey());
            var entity = new Entity(Partition, Row,
                new Dictionary<string, object> { ["Current"] = rotated.Current, ["Next"] = rotated.Next });
            Write write = row is null ? new Write.Insert(entity) : new Write.Replace(entity, row.ETag!);
            if ((await tables.CommitAsync(new Commit(Table, Partition, [write]), cancellation)).Applied)
                return Keep(rotated);
        }
    }

    private async ValueTask<SigningKeyPair> ReadAsync(CancellationToken cancellation) =>
        Keep(FromRow(await tables.GetAsync(Table, Partition, Row, cancellation)));

    private SigningKeyPair FromRow(Entity? row) => row is null
        ? new SigningKeyPair(options.CurrentSigningKey, options.NextSigningKey)
        : new SigningKeyPair(row.Text("Current")!, row.Text("Next")!);

    private SigningKeyPair Keep(SigningKeyPair pair)
    {
        Volatile.Write(ref _readAt, time.GetTimestamp());
        Volatile.Write(ref _pair, pair);
        return pair;
    }
}
