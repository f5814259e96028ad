using System.CommandLine;
using FuncStash.Cli.Terminals;
using FuncStash.Client;

namespace FuncStash.Cli.Verbs;

/// <summary>One run of a verb.</summary>
/// <param name="Parsed">Its command line.</param>
/// <param name="Terminal">Where it reads and writes.</param>
/// <param name="Connection">The options of the service.</param>
/// <param name="Cancellation">Ends it.</param>
internal sealed record Invocation(ParseResult Parsed, Terminal Terminal, Connection Connection, CancellationToken Cancellation)
{
    public bool Json => Parsed.GetValue(Connection.Json);

    /// <summary>The service the verb is about.</summary>
    /// <exception cref="UsageException">There is no token, or the URL is none.</exception>
    public QStashClient Client => new(Connection.OptionsOf(Parsed, Terminal.Setting));

    public T? Of<T>(Option<T> option) => Parsed.GetValue(option);

    public T Of<T>(Argument<T> argument) => Parsed.GetRequiredValue(argument);

    /// <summary>A list's values; null when there are none.</summary>
    public string[]? Many(Option<string[]> option) => Parsed.GetValue(option) is { Length: > 0 } values ? values : null;

    public Task ListAsync<T>(IAsyncEnumerable<T> items, params Column<T>[] columns) =>
        Listing.WriteAsync(Terminal, Json, items, columns, Cancellation);

    public Task ListAsync<T>(IEnumerable<T> items, params Column<T>[] columns) =>
        Listing.WriteAsync(Terminal, Json, items, columns, Cancellation);

    public void Detail<T>(T item, params Column<T>[] columns) => Listing.Detail(Terminal, Json, item, columns);

    /// <summary>Tells what was done, in words or as JSON.</summary>
    public void Tell<T>(T result, string words)
    {
        if (Json)
            Listing.Json(Terminal, result);
        else
            Terminal.Out.WriteLine(PlainText.Of(words));
    }
}
