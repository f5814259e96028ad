using System.CommandLine;

namespace FuncStash.Cli.Verbs;

/// <summary>Which things an action is for: some by their ids, those that match filters, or all. Exactly one of these has to be said.</summary>
internal sealed class Selection(string ids)
{
    public Argument<string[]> Ids { get; } = new(ids) { Arity = ArgumentArity.ZeroOrMore, Description = "Which, by their ids" };

    public Option<bool> All { get; } = new("--all") { Description = "All there are" };

    public Option<bool> Yes { get; } = new("--yes", "-y") { Description = "Do not ask" };

    /// <exception cref="UsageException">Nothing was said, or more than one thing.</exception>
    public void Check(Invocation run, bool isFiltered)
    {
        var said = (run.Of(Ids).Length > 0 ? 1 : 0) + (isFiltered ? 1 : 0) + (run.Of(All) ? 1 : 0);
        if (said != 1)
            throw new UsageException(said == 0 ? $"say which: {ids}, a filter, or --all" : $"say one of them: {ids}, filters, or --all");
    }
}
