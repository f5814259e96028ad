using System.Globalization;

namespace FuncStash.Testing;

/// <summary>What the environment asks of tests that may run for longer.</summary>
internal static class TestSetting
{
    /// <summary>How many random histories a test plays: <c>FUNCSTASH_PLAYS</c>.</summary>
    public static int Plays(int byDefault) => Number("FUNCSTASH_PLAYS", byDefault);

    public static int Number(string name, int byDefault) =>
        Environment.GetEnvironmentVariable(name) is { Length: > 0 } text ? int.Parse(text, CultureInfo.InvariantCulture) : byDefault;
}
