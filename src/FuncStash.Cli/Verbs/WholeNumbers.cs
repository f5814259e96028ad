using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;

namespace FuncStash.Cli.Verbs;

/// <summary>Options that take whole numbers, and say so where they get something else.</summary>
internal static class WholeNumbers
{
    /// <summary>One with a value of its own where it is left out.</summary>
    /// <param name="least">The least number it takes.</param>
    public static Option<int> Option(string name, string description, int without, int least, params string[] aliases) => new(name, aliases)
    {
        HelpName = "N", Description = description, DefaultValueFactory = _ => without, CustomParser = result => Read(result, least).FirstOrDefault(),
    };

    /// <summary>One that may be left out.</summary>
    /// <param name="least">The least number it takes.</param>
    public static Option<int?> Optional(string name, string description, int least) => new(name)
    {
        HelpName = "N", Description = description, CustomParser = result => Read(result, least) is [var number] ? number : null,
    };

    /// <summary>One that may be repeated.</summary>
    public static Option<int[]> Many(string name, string description) => new(name)
    {
        HelpName = "N", Description = description, CustomParser = result => Read(result, 0),
    };

    private static int[] Read(ArgumentResult given, int least)
    {
        var numbers = new List<int>();
        foreach (var token in given.Tokens)
        {
            if (int.TryParse(token.Value, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number) && number >= least)
                numbers.Add(number);
            else
                given.AddError($"{(given.Parent as OptionResult)?.IdentifierToken?.Value} {token.Value}: it is a whole number from {least} to {int.MaxValue}");
        }

        return [.. numbers];
    }
}
