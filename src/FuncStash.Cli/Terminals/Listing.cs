using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;
using FuncStash.Client;
using Spectre.Console;

namespace FuncStash.Cli.Terminals;

/// <summary>A column of a list.</summary>
/// <typeparam name="T">What is listed.</typeparam>
/// <param name="Name">Its name.</param>
/// <param name="Text">What it says of an item; null for nothing.</param>
internal sealed record Column<T>(string Name, Func<T, string?> Text);

/// <summary>
/// How results are written: a table for people; where the output is piped, a line for each with tabs between; with
/// <c>--json</c> a line of JSON for each.
/// </summary>
internal static class Listing
{
    private static readonly JsonSerializerOptions s_json = new(JsonSerializerDefaults.Web)
    {
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        // For terminals and programs, not for web pages: text stays readable. Control characters are escaped all the same.
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        TypeInfoResolver = JsonTypeInfoResolver.Combine(CliJson.Default, WireJson.Default),
    };

    /// <summary>Writes one thing as one line of JSON.</summary>
    public static void Json<T>(Terminal terminal, T value) => terminal.Out.WriteLine(JsonSerializer.Serialize(value, s_json.GetTypeInfo(typeof(T))));

    /// <summary>Writes a list.</summary>
    public static async Task WriteAsync<T>(
        Terminal terminal, bool json, IAsyncEnumerable<T> items, IReadOnlyList<Column<T>> columns, CancellationToken cancellation)
    {
        if (!json && terminal.IsSeen)
        {
            Draw(terminal, await items.ToListAsync(cancellation), columns);
            return;
        }

        await foreach (var item in items.WithCancellation(cancellation))
        {
            if (json)
                Json(terminal, item);
            else
                Line(terminal, item, columns);
        }
    }

    public static Task WriteAsync<T>(
        Terminal terminal, bool json, IEnumerable<T> items, IReadOnlyList<Column<T>> columns, CancellationToken cancellation) =>
        WriteAsync(terminal, json, items.ToAsyncEnumerable(), columns, cancellation);

    /// <summary>One item, each column a line of its own.</summary>
    public static void Detail<T>(Terminal terminal, bool json, T item, IReadOnlyList<Column<T>> columns)
    {
        if (json)
        {
            Json(terminal, item);
            return;
        }

        var width = columns.Max(column => column.Name.Length);
        foreach (var column in columns)
        {
            if (column.Text(item) is { Length: > 0 } text)
                terminal.Out.WriteLine($"{column.Name.PadRight(width)}  {PlainText.Of(text)}");
        }
    }

    /// <summary>One item on one line, with tabs between.</summary>
    public static void Line<T>(Terminal terminal, T item, IReadOnlyList<Column<T>> columns) =>
        terminal.Out.WriteLine(string.Join('\t', columns.Select(column => PlainText.Of(column.Text(item)))));

    private static void Draw<T>(Terminal terminal, List<T> items, IReadOnlyList<Column<T>> columns)
    {
        if (items.Count == 0)
        {
            terminal.Error.WriteLine("None.");
            return;
        }

        var table = new Table { Border = TableBorder.Simple };
        foreach (var column in columns)
            table.AddColumn(new TableColumn(new Text(column.Name)));
        foreach (var item in items)
            table.AddRow(columns.Select(column => new Text(PlainText.Of(column.Text(item)))));
        terminal.Screen.Write(table);
    }
}
