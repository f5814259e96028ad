using System.Globalization;
using System.Text;
using FuncStash.Sqlite.Sql;
using FuncStash.Sqlite.Writing;
using FuncStash.Storage;

namespace FuncStash.Sqlite.Bodies;

/// <summary>Payloads, one row each. The content must not change until the put has ended.</summary>
internal sealed class SqliteBodies(Readers readers, Writer writer) : IBodies
{
    public ValueTask PutAsync(string name, ReadOnlyMemory<byte> content, CancellationToken cancellation = default) =>
        Write(name, content, cancellation);

    public ValueTask<byte[]?> GetAsync(string name, CancellationToken cancellation = default)
    {
        cancellation.ThrowIfCancellationRequested();
        return Readers.ReadAsync((Bodies: this, name), static read => read.Bodies.Find(read.name));
    }

    public ValueTask DeleteAsync(string name, CancellationToken cancellation = default) => Write(name, null, cancellation);

    public ValueTask<BodyPage> ListAsync(
        DateTimeOffset before, string? after, int take, CancellationToken cancellation = default)
    {
        cancellation.ThrowIfCancellationRequested();
        return Readers.ReadAsync(
            (Bodies: this, before, after, take), static list => list.Bodies.List(list.before, list.after, list.take));
    }

    private BodyPage List(DateTimeOffset before, string? after, int take)
    {
        var (written, number) = after?.Split('|') is [var time, var id]
            ? (long.Parse(time, CultureInfo.InvariantCulture), long.Parse(id, CultureInfo.InvariantCulture))
            : (long.MinValue, 0);
        var names = new List<string>();
        using var loan = readers.Lend();
        var list = loan.Reader.Bodies.Bind(1, written).Bind(2, number).Bind(3, before.ToUnixTimeMilliseconds()).Bind(4, take);
        try
        {
            while (list.Step())
            {
                names.Add(Encoding.UTF8.GetString(list.Bytes(0)));
                (written, number) = (list.Number(1), list.Number(2));
            }
        }
        finally
        {
            list.Reset();
        }
        return new BodyPage(names, names.Count < take ? null : string.Create(CultureInfo.InvariantCulture, $"{written}|{number}"));
    }

    private byte[]? Find(string name)
    {
        using var loan = readers.Lend();
        var find = loan.Reader.Body.BindText(1, Encoding.UTF8.GetBytes(name));
        try
        {
            return find.Step() ? find.Bytes(0).ToArray() : null;
        }
        finally
        {
            find.Reset(); // also where memory is out: what is left open keeps the log from starting over
        }
    }

    private ValueTask Write(string name, ReadOnlyMemory<byte>? content, CancellationToken cancellation)
    {
        cancellation.ThrowIfCancellationRequested();
        var operation = new BodyOperation(Encoding.UTF8.GetBytes(name), content);
        writer.Submit(operation);
        return operation.PlainTask;
    }

    private sealed class BodyOperation(byte[] name, ReadOnlyMemory<byte>? content) : Operation<bool>
    {
        public override int Bytes => content?.Length ?? 0;

        public override void Apply(WriteSession session)
        {
            if (content is { } bytes)
                session.PutBody.BindText(1, name).BindBlob(2, bytes.Span).Bind(3, session.Now).Run();
            else
                session.DeleteBody.BindText(1, name).Run();
        }
    }
}
