using System.Globalization;
using System.Text;
using FuncStash.Sqlite.Sql;
using FuncStash.Sqlite.Writing;
using FuncStash.Storage;

namespace FuncStash.Sqlite.Bodies;

/// <summary>
/// Payloads: a row each, and rows for what is longer than a piece, so that nobody waits for a commit of all of it. The content must
/// not change until the put has ended. A put that a crash ended leaves a payload that is listed and not found.
/// </summary>
internal sealed class SqliteBodies(Readers readers, Writer writer) : IBodies
{
    // As much as a commit takes beside what is small.
    private const int Piece = Writer.BigBytes;

    public ValueTask PutAsync(string name, ReadOnlyMemory<byte> content, CancellationToken cancellation = default)
    {
        var utf8 = Encoding.UTF8.GetBytes(name);
        cancellation.ThrowIfCancellationRequested();
        return content.Length <= Piece ? Write(new Beginning(utf8, content, rest: 0)) : PutPiecesAsync(utf8, content);
    }

    public ValueTask<byte[]?> GetAsync(string name, CancellationToken cancellation = default)
    {
        cancellation.ThrowIfCancellationRequested();
        return Readers.ReadAsync((Bodies: this, name), static read => read.Bodies.Find(read.name));
    }

    public ValueTask DeleteAsync(string name, CancellationToken cancellation = default)
    {
        cancellation.ThrowIfCancellationRequested();
        return Write(new Removal(Encoding.UTF8.GetBytes(name)));
    }

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
        var utf8 = Encoding.UTF8.GetBytes(name);
        var (find, next) = (loan.Reader.Body.BindText(1, utf8), loan.Reader.BodyPieces.BindText(1, utf8));
        try
        {
            if (!find.Step())
                return null;
            var first = find.Bytes(0);
            var content = new byte[first.Length + find.Number(1)];
            first.CopyTo(content);
            var length = first.Length;
            // While the first statement is open, the second reads of the same moment.
            while (length < content.Length && next.Step())
            {
                var piece = next.Bytes(0);
                piece.CopyTo(content.AsSpan(length));
                length += piece.Length;
            }
            return length == content.Length ? content : null;
        }
        finally
        {
            find.Reset(); // also where memory is out: what is left open keeps the log from starting over
            next.Reset();
        }
    }

    private async ValueTask PutPiecesAsync(byte[] name, ReadOnlyMemory<byte> content)
    {
        var pieces = new List<Task> { Write(new Beginning(name, content[..Piece], content.Length - Piece)).AsTask() };
        for (var start = Piece; start < content.Length; start += Piece)
            pieces.Add(Write(new Continuation(name, pieces.Count, content[start..Math.Min(start + Piece, content.Length)])).AsTask());
        try
        {
            await Task.WhenAll(pieces);
        }
        catch (StoreFailedException)
        {
            // On a full disk, what was written is in the way of what is small.
            await Write(new Removal(name)).AsTask().ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            throw;
        }
    }

    private ValueTask Write(Operation<bool> operation)
    {
        writer.Submit(operation);
        return operation.PlainTask;
    }

    private sealed class Beginning(byte[] name, ReadOnlyMemory<byte> content, int rest) : Operation<bool>
    {
        public override int Bytes => content.Length;

        public override void Apply(WriteSession session)
        {
            session.DeleteBodyPieces.BindText(1, name).Run();
            session.PutBody.BindText(1, name).BindBlob(2, content.Span).Bind(3, session.Now).Bind(4, rest).Run();
        }
    }

    private sealed class Continuation(byte[] name, int number, ReadOnlyMemory<byte> content) : Operation<bool>
    {
        public override int Bytes => content.Length;

        public override bool IsBig => true; // also the last one, which must not overtake the beginning

        public override void Apply(WriteSession session) =>
            session.PutBodyPiece.BindText(1, name).Bind(2, number).BindBlob(3, content.Span).Run();
    }

    private sealed class Removal(byte[] name) : Operation<bool>
    {
        public override void Apply(WriteSession session)
        {
            session.DeleteBody.BindText(1, name).Run();
            session.DeleteBodyPieces.BindText(1, name).Run();
        }
    }
}
