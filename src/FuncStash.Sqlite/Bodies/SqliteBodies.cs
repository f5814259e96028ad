using System.Globalization;
using System.Text;
using FuncStash.Sqlite.Sql;
using FuncStash.Sqlite.Writing;
using FuncStash.Storage;

namespace FuncStash.Sqlite.Bodies;

/// <summary>
/// Payloads: a row each, or pieces, so that nobody waits for a commit of a long one. The content must not change until the put has ended.
/// </summary>
internal sealed class SqliteBodies(Readers readers, Writer writer) : IBodies
{
    // Half a megabyte of one payload waits at the writer at a time, so that other big writes come in between.
    private const int PiecesAtOnce = 8;

    public ValueTask PutAsync(string name, ReadOnlyMemory<byte> content, CancellationToken cancellation = default)
    {
        cancellation.ThrowIfCancellationRequested();
        var utf8 = Encoding.UTF8.GetBytes(name);
        return content.Length <= BodyPut.PieceBytes ? Write(new Whole(utf8, content)) : PutPiecesAsync(new BodyPut(utf8, content));
    }

    public ValueTask<byte[]?> GetAsync(string name, CancellationToken cancellation = default)
    {
        cancellation.ThrowIfCancellationRequested();
        return readers.ReadLongAsync((Bodies: this, name), static read => read.Bodies.Find(read.name), cancellation);
    }

    public ValueTask DeleteAsync(string name, CancellationToken cancellation = default)
    {
        cancellation.ThrowIfCancellationRequested();
        return Write(new Removal(Encoding.UTF8.GetBytes(name)));
    }

    public ValueTask<BodyPage> ListAsync(
        DateTimeOffset since, DateTimeOffset before, string? after, int take, CancellationToken cancellation = default)
    {
        cancellation.ThrowIfCancellationRequested();
        return readers.ReadAsync(
            (Bodies: this, since, before, after, take), static list => list.Bodies.List(list.since, list.before, list.after, list.take),
            cancellation);
    }

    private BodyPage List(DateTimeOffset since, DateTimeOffset before, string? after, int take)
    {
        var (written, number) = after?.Split('|') is [var time, var id]
            ? (long.Parse(time, CultureInfo.InvariantCulture), long.Parse(id, CultureInfo.InvariantCulture))
            : (since.ToUnixTimeMilliseconds(), 0);
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
        var utf8 = Encoding.UTF8.GetBytes(name);
        var (find, pieces) = (loan.Reader.Body.BindText(1, utf8), loan.Reader.BodyPieces);
        try
        {
            if (!find.Step())
                return null;
            if (find.Number(1) is var first && first == 0)
                return find.Bytes(0).ToArray();
            var content = GC.AllocateUninitializedArray<byte>(checked((int)find.Number(3)));
            pieces.Bind(1, first).Bind(2, find.Number(2));
            // While the first statement is open, the second reads of the same moment.
            var length = 0;
            while (length < content.Length && pieces.Step())
            {
                var piece = pieces.Bytes(0);
                piece.CopyTo(content.AsSpan(length));
                length += piece.Length;
            }

            return length == content.Length ? content : throw new InvalidDataException($"of {name} {length} bytes of {content.Length} are there");
        }
        finally
        {
            find.Reset(); // also where memory is out: what is left open keeps the log from starting over
            pieces.Reset();
        }
    }

    private async ValueTask PutPiecesAsync(BodyPut put)
    {
        try
        {
            for (var next = 0; next < put.Count;)
            {
                var some = new List<Task>(PiecesAtOnce);
                try
                {
                    for (; next < put.Count && some.Count < PiecesAtOnce; next++)
                        some.Add(Write(put.Piece(next)).AsTask());
                }
                finally
                {
                    await Task.WhenAll(some);
                }
            }
        }
        catch
        {
            await AbandonAsync(put).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            throw;
        }
    }

    // Where it fails too, the pieces go when the store is opened again.
    private async Task AbandonAsync(BodyPut put) => await Write(put.Abandoned());

    private ValueTask Write(Operation<bool> operation)
    {
        writer.Submit(operation);
        return operation.PlainTask;
    }

    private sealed class Whole(byte[] name, ReadOnlyMemory<byte> content) : Operation<bool>
    {
        public override int Bytes => content.Length;

        public override void Apply(WriteSession session)
        {
            session.RemoveBody(name);
            session.InsertBody.BindText(1, name).BindBlob(2, content.Span).Bind(3, session.Now).Bind(4, 0).Bind(5, 0).Bind(6, 0).Run();
        }
    }

    private sealed class Removal(byte[] name) : Operation<bool>
    {
        public override void Apply(WriteSession session) => session.RemoveBody(name);
    }
}
