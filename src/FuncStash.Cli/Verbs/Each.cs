using FuncStash.Cli.Terminals;
using FuncStash.Client;

namespace FuncStash.Cli.Verbs;

/// <summary>The same for several things: one that is refused does not keep the others from it.</summary>
internal static class Each
{
    /// <summary>Does it for each, and tells of those that failed.</summary>
    /// <returns>An <see cref="ExitCode"/>: the failure's own when nothing was done, else <see cref="ExitCode.Incomplete"/>.</returns>
    public static async Task<int> DoAsync(Invocation run, IReadOnlyList<string> names, string done, Func<QStashClient, string, Task> act)
    {
        var client = run.Client;
        var (count, code) = (0, ExitCode.Done);
        foreach (var name in names)
        {
            try
            {
                await act(client, name);
                count++;
            }
            catch (QStashRequestException failure)
            {
                run.Terminal.Error.WriteLine($"funcstash: {PlainText.Of(name)}: {PlainText.Of(Failure.Text(failure))}");
                code = Failure.Code(failure);
            }
        }

        run.Tell(new Dictionary<string, int> { [done] = count }, $"{count} {done}");
        return code == ExitCode.Done || count == 0 ? code : ExitCode.Incomplete;
    }
}
