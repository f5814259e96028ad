using System.Text.Json;
using System.Text.Json.Serialization;
using FuncStash.Messages;
using FuncStash.Storage;
using FuncStash.Wire;

namespace FuncStash.UrlGroups;

/// <summary>Keeps URL groups, one row each.</summary>
public sealed class UrlGroupStore(ITables tables, TimeProvider time)
{
    private const string Table = "urlgroups", Partition = "groups";

    public async ValueTask<UrlGroup?> GetAsync(string name, CancellationToken cancellation = default) =>
        await tables.GetAsync(Table, Partition, name, cancellation) is { } row ? FromRow(row) : null;

    /// <summary>All groups in the order of their names, read as they are asked for.</summary>
    public IAsyncEnumerable<UrlGroup> ListAsync(CancellationToken cancellation = default) =>
        new RowPages(tables, Table, Partition, RowRange.Prefix(""), only: null).AllAsync(cancellation).Select(FromRow);

    /// <summary>Changes a group, creating it when it is not there; one left without endpoints is deleted.</summary>
    /// <param name="name">The group's name.</param>
    /// <param name="change">The new group from the old one; null to refuse a change to a group that is not there.</param>
    /// <param name="cancellation">Stops the work.</param>
    /// <returns>False when there was no group and <paramref name="change"/> gave none.</returns>
    /// <exception cref="QStashException">413 for a group that has grown too big.</exception>
    public async ValueTask<bool> ChangeAsync(
        string name, Func<UrlGroup?, UrlGroup?> change, CancellationToken cancellation = default)
    {
        while (true)
        {
            var row = await tables.GetAsync(Table, Partition, name, cancellation);
            var before = row is null ? null : FromRow(row);
            if (change(before) is not { } group)
                return false;
            var now = time.GetUtcNow().ToUnixTimeMilliseconds();
            if (group.Endpoints.Count == 0 && row is null)
                return true;
            Check(ToRow(group), group.Endpoints.Count, row, before?.Endpoints.Count ?? 0);
            Write write = group.Endpoints.Count == 0 ? new Write.Delete(name, row!.ETag)
                : row is null ? new Write.Insert(ToRow(group with { CreatedAt = now, UpdatedAt = now }))
                : new Write.Replace(ToRow(group with { UpdatedAt = now }), row.ETag!);
            if ((await tables.CommitAsync(new Commit(Table, Partition, [write]), cancellation)).Applied)
                return true;
        }
    }

    // One that was bigger before there was a limit may shrink.
    private static void Check(Entity row, int endpoints, Entity? before, int endpointsBefore)
    {
        if (endpoints > Math.Max(UrlGroup.MaxEndpoints, endpointsBefore))
            throw new QStashException(413, $"the topic is too big: {endpoints} endpoints, at most {UrlGroup.MaxEndpoints}");
        if (row.Size > Math.Max(UrlGroup.MaxBytes, before?.Size ?? 0))
            throw new QStashException(413, $"the topic is too big: {row.Size} bytes as it is stored, at most {UrlGroup.MaxBytes}");
    }

    /// <summary>Deletes a group; one that is not there is no error.</summary>
    public async ValueTask DeleteAsync(string name, CancellationToken cancellation = default) =>
        await tables.CommitAsync(new Commit(Table, Partition, [new Write.Delete(name, null)]), cancellation);

    private static Entity ToRow(UrlGroup group) => new(Partition, group.Name, new Dictionary<string, object>
    {
        ["CreatedAt"] = group.CreatedAt,
        ["UpdatedAt"] = group.UpdatedAt,
        ["Endpoints"] = JsonSerializer.SerializeToUtf8Bytes([.. group.Endpoints], UrlGroupJson.Plain.ListEndpoint),
        ["Headers"] = MessageJson.Write(group.Headers),
    });

    private static UrlGroup FromRow(Entity row) => new(
        row.RowKey, row.Number("CreatedAt")!.Value, row.Number("UpdatedAt")!.Value,
        JsonSerializer.Deserialize(row.Bytes("Endpoints")!, UrlGroupJson.Default.ListEndpoint)!)
    {
        Headers = MessageJson.ReadHeaders(row.Bytes("Headers")!),
    };
}

[JsonSourceGenerationOptions(DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(List<Endpoint>))]
internal sealed partial class UrlGroupJson : JsonSerializerContext
{
    public static UrlGroupJson Plain => field ??= new(JsonText.Plain(Default.Options));
}
