using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Encodings.Web;
using FuncStash.Cli.Terminals;
using FuncStash.Cli.Verbs;

namespace FuncStash.Cli.Moving;

/// <summary>A difference, for people and for programs.</summary>
internal static class Report
{
    private static readonly JsonSerializerOptions s_readable = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>Tells what is to change, and what cannot be moved.</summary>
    public static void Tell(Invocation run, Difference difference, IReadOnlyList<LeftOut> leftOut)
    {
        foreach (var change in difference.Changes)
        {
            if (run.Json)
            {
                Listing.Json(run.Terminal, new ChangeNote(
                    change.Kind, change.Name, change.IsNew ? "create" : "update",
                    change.Fields.ToDictionary(field => field.Name, field => new FieldNote(field.From, field.To))));
                continue;
            }

            run.Terminal.Out.WriteLine($"{(change.IsNew ? '+' : '~')} {change.Kind} {PlainText.Of(change.Name)}");
            foreach (var field in change.IsNew ? [] : change.Fields)
                run.Terminal.Out.WriteLine($"    {field.Name}: {Text(field.From)} -> {Text(field.To)}");
        }

        foreach (var left in leftOut)
            run.Terminal.Error.WriteLine($"! {left.Kind} {PlainText.Of(left.Name)}: {left.Reason}");
        if (run.Json)
            return;
        var (added, changed) = (difference.Changes.Count(change => change.IsNew), difference.Changes.Count(change => !change.IsNew));
        run.Terminal.Out.WriteLine($"{added} to create, {changed} to change, {difference.Same} the same{(leftOut.Count > 0 ? $", {leftOut.Count} left out" : "")}");
    }

    /// <summary>Tells what was done.</summary>
    public static void TellEnd(Invocation run, int changes, int failures)
    {
        if (!run.Json)
            run.Terminal.Out.WriteLine(failures == 0 ? $"{Count(changes, "change")} made" : $"{Count(changes - failures, "change")} made, {failures} failed: say it again when the cause is gone");
    }

    public static string Count(int count, string what) => count == 1 ? $"1 {what}" : $"{count} {what}s";

    private static string Text(JsonNode? value) => value is null ? "nothing" : PlainText.Start(value.ToJsonString(s_readable), 200);
}
