using System.Text;
using Spectre.Console;

namespace FuncStash.Cli.Terminals;

/// <summary>Where a verb reads and writes, and what it knows of its surroundings.</summary>
/// <param name="Out">Results.</param>
/// <param name="Error">Notes, questions, progress and errors, so that results can be piped.</param>
/// <param name="In">What <c>@-</c> and <c>-</c> read.</param>
/// <param name="Setting">Environment variables by name.</param>
/// <param name="Time">The clock.</param>
internal sealed record Terminal(TextWriter Out, TextWriter Error, Stream In, Func<string, string?> Setting, TimeProvider Time)
{
    private IAnsiConsole? _screen, _notes;

    /// <summary>Whether somebody looks at the results: then they are drawn as a table.</summary>
    public bool IsSeen { get; init; }

    /// <summary>Whether somebody can be asked.</summary>
    public bool CanAsk { get; init; }

    /// <summary>For tables.</summary>
    public IAnsiConsole Screen => _screen ??= AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(Out) });

    /// <summary>For questions and progress.</summary>
    public IAnsiConsole Notes => _notes ??= AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(Error) });

    public static Terminal OfThisProcess() => new(
        System.Console.Out, System.Console.Error, System.Console.OpenStandardInput(), Environment.GetEnvironmentVariable, TimeProvider.System)
    {
        IsSeen = !System.Console.IsOutputRedirected,
        CanAsk = !System.Console.IsInputRedirected && !System.Console.IsErrorRedirected,
    };

    /// <summary>Bytes that are given on the command line: <c>@FILE</c> is a file, <c>@-</c> what is piped in, anything else the text itself.</summary>
    /// <exception cref="UsageException">The file cannot be read.</exception>
    public async Task<byte[]> BytesOfAsync(string argument, CancellationToken cancellation) =>
        argument.StartsWith('@') ? await ReadAsync(argument[1..], cancellation) : Encoding.UTF8.GetBytes(argument);

    /// <summary>A file's bytes; of <c>-</c>, those piped in.</summary>
    /// <exception cref="UsageException">The file cannot be read.</exception>
    public async Task<byte[]> ReadAsync(string file, CancellationToken cancellation)
    {
        if (file == "-")
        {
            using var bytes = new MemoryStream();
            await In.CopyToAsync(bytes, cancellation);
            return bytes.ToArray();
        }

        try
        {
            return await File.ReadAllBytesAsync(file, cancellation);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException or ArgumentException)
        {
            throw new UsageException(error.Message);
        }
    }

    /// <summary>Asks before something that cannot be taken back.</summary>
    /// <exception cref="UsageException">There is nobody to ask.</exception>
    public async Task<bool> ConfirmAsync(string question, CancellationToken cancellation) => CanAsk
        ? await new ConfirmationPrompt(Markup.Escape(question)) { DefaultValue = false }.ShowAsync(Notes, cancellation)
        : throw new UsageException($"{question} Nobody can be asked here: --yes says it.");

    /// <summary>Does something that takes a while, with a bar for whoever looks.</summary>
    /// <param name="title">What is done.</param>
    /// <param name="total">How many steps there are; null when that is not known.</param>
    /// <param name="work">Does it, and calls what it is given for each step done.</param>
    public async Task ProgressAsync(string title, int? total, Func<Action<int>, Task> work)
    {
        if (!CanAsk)
        {
            await work(_ => { });
            return;
        }

        await new Progress(Notes)
            .Columns(new TaskDescriptionColumn(), new ProgressBarColumn(), new PercentageColumn(), new SpinnerColumn())
            .StartAsync(async progress =>
            {
                var task = progress.AddTask(Markup.Escape(title), maxValue: Math.Max(1, total ?? 1));
                task.IsIndeterminate = total is null;
                var done = 0;
                await work(steps =>
                {
                    done += steps;
                    task.Description = Markup.Escape(total is null ? $"{title} ({done})" : $"{title} ({done} of {total})");
                    if (total is not null)
                        task.Increment(steps);
                });
                task.StopTask();
            });
    }
}
