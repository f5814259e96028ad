using FuncStash.Sqlite.Writing;

namespace FuncStash.Sqlite.Bodies;

/// <summary>
/// A long payload on its way into the store, a commit a piece. The last one makes it the content of its name; what was there before
/// stays until then. The content must not change meanwhile.
/// </summary>
internal sealed class BodyPut(byte[] name, ReadOnlyMemory<byte> content)
{
    // As much as a commit takes beside what is small.
    public const int PieceBytes = Writer.BigBytes;

    private long _first;

    // Of the writer's thread: the pieces before it were applied.
    private int _next;

    /// <summary>How many pieces it has.</summary>
    public int Count => (content.Length + PieceBytes - 1) / PieceBytes;

    public Operation<bool> Piece(int number) => new Step(this, number);

    /// <summary>Removes what came to no end; after all pieces.</summary>
    public Operation<bool> Abandoned() => new Abandonment(this);

    private sealed class Step(BodyPut put, int number) : Operation<bool>
    {
        private ReadOnlyMemory<byte> Content => put.Slice(number);

        public override int Bytes => Content.Length;

        public override bool IsBig => true; // a short last one too, which must not overtake the others

        public override void Apply(WriteSession session) => put.Apply(session, number, Content.Span);

        public override void Undo() => put._next = Math.Min(put._next, number);
    }

    private sealed class Abandonment(BodyPut put) : Operation<bool>
    {
        public override void Apply(WriteSession session)
        {
            if (put._next == 0)
                return;
            session.DeletePieces.Bind(1, put._first).Bind(2, put._first + put.Count).Run();
            session.EndPut.Bind(1, put._first).Run();
        }
    }

    private ReadOnlyMemory<byte> Slice(int number) =>
        content[(number * PieceBytes)..Math.Min((number + 1) * PieceBytes, content.Length)];

    private void Apply(WriteSession session, int number, ReadOnlySpan<byte> piece)
    {
        if (number != _next)
            return; // behind one that failed
        if (number == 0)
        {
            _first = session.NextVersions(Count);
            session.BeginPut.Bind(1, _first).Bind(2, _first + Count).Run();
        }

        session.InsertPiece.Bind(1, _first + number).BindBlob(2, piece).Run();
        if (number == Count - 1)
        {
            session.RemoveBody(name);
            session.InsertBody.BindText(1, name).BindBlob(2, []).Bind(3, session.Now)
                .Bind(4, _first).Bind(5, _first + Count).Bind(6, content.Length).Run();
            session.EndPut.Bind(1, _first).Run();
        }

        _next++;
    }
}
