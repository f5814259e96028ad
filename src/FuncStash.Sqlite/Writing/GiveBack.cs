using FuncStash.Sqlite.Sql;

namespace FuncStash.Sqlite.Writing;

/// <summary>
/// Gives some free pages at a time back to the file system; its result is whether there are more. A tenth stays for what is
/// written next, so that a file in steady use is not cut and grown again and again.
/// </summary>
/// <remarks>A file that was made before <c>auto_vacuum</c> gives nothing back, until it was rewritten (docs/operations.md).</remarks>
internal sealed class GiveBack : Operation<bool>
{
    // A step moves up to as many pages, so it is short enough for others to wait for.
    private const long Step = 256;

    // 4 MiB: less than what is worth the moving.
    private const long Least = 1024;

    public override void Apply(WriteSession session)
    {
        var free = Read(session.FreePages);
        var excess = free - Math.Max(Least, Read(session.AllPages) / 10);
        if (excess < Step)
            return;
        session.Vacuum.Run();
        Result = excess >= 2 * Step && Read(session.FreePages) < free;
    }

    public static string Sql => $"PRAGMA incremental_vacuum({Step})";

    private static long Read(Statement pragma)
    {
        pragma.Step();
        var number = pragma.Number(0);
        pragma.Reset();
        return number;
    }
}
