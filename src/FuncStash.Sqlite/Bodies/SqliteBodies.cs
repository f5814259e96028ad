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
                session.PutBody.BindText(1, name).BindBlob(2, bytes.Span).Run();
            else
                session.DeleteBody.BindText(1, name).Run();
        }
    }
}
