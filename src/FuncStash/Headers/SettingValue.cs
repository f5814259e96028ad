using System.Globalization;
using FuncStash.Retries;
using FuncStash.Settings;
using FuncStash.Wire;

namespace FuncStash.Headers;

/// <summary>Reads the values of settings. Each throws 400 with the header's name for one that means nothing.</summary>
internal static class SettingValue
{
    public static string Method(string name, string value, FuncStashOptions options) =>
        value.ToUpperInvariant() is "GET" or "POST" or "PUT" or "PATCH" or "DELETE"
            ? value.ToUpperInvariant()
            : throw Invalid(name, value, "must be GET, POST, PUT, PATCH or DELETE");

    public static int? Retries(string name, string value, FuncStashOptions options) =>
        int.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out var retries) && retries <= options.MaxRetries
            ? retries
            : throw Invalid(name, value, $"must be a number from 0 to {options.MaxRetries}");

    public static string RetryDelay(string name, string value, FuncStashOptions options) =>
        RetryDelayExpression.TryParse(value, out _, out var error) ? value : throw QStashException.BadRequest($"invalid {error}");

    public static TimeSpan? Duration(string name, string value, FuncStashOptions options) =>
        DurationText.TryParse(value, out var duration)
            ? duration
            : throw Invalid(name, value, "must be a duration such as 50s, 3m, 10h or 1d10h30m");

    public static TimeSpan? Delay(string name, string value, FuncStashOptions options) =>
        Duration(name, value, options) is { } delay && delay <= options.MaxDelay
            ? delay
            : throw Invalid(name, value, $"at most {options.MaxDelay.TotalDays:0} days");

    public static long? NotBefore(string name, string value, FuncStashOptions options) =>
        long.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out var seconds) && seconds < 9_999_999_999
            ? seconds
            : throw Invalid(name, value, "must be a unix time in seconds");

    public static IReadOnlyList<string>? Labels(string name, string value, FuncStashOptions options)
    {
        if (value.Any(char.IsControl))
            throw QStashException.BadRequest($"invalid value of {name}: control characters are not allowed");
        var labels = value.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
        return labels.Length == 0 ? null : labels;
    }

    public static string DeduplicationId(string name, string value, FuncStashOptions options) =>
        value.Contains(':', StringComparison.Ordinal) ? throw QStashException.BadRequest("DeduplicationId cannot contain ':'") : value;

    public static string Redaction(string name, string value, FuncStashOptions options) =>
        RedactFields.TryParse(value, out _, out var error) ? value : throw QStashException.BadRequest($"invalid {error}");

    // Python sends True and False.
    public static bool Flag(string name, string value, FuncStashOptions options) =>
        bool.TryParse(value, out var flag) ? flag : throw Invalid(name, value, "must be true or false");

    // Where a no beats another's yes.
    public static bool? GivenFlag(string name, string value, FuncStashOptions options) => Flag(name, value, options);

    public static string Text(string name, string value, FuncStashOptions options) => value;

    // Other types say nothing: a step is one without.
    public static bool IsCall(string name, string value, FuncStashOptions options) =>
        value.Equals("toCallback", StringComparison.OrdinalIgnoreCase);

    public static string ResourceName(string name, string value, FuncStashOptions options) =>
        Wire.ResourceName.IsValid(value) ? value : throw Invalid(name, value, $"it is {Wire.ResourceName.Rule}");

    public static string RunId(string name, string value, FuncStashOptions options) =>
        RunHeaders.IsRunId(value) ? value : throw Invalid(name, value, RunHeaders.RunIdRule);

    private static QStashException Invalid(string name, string value, string rule) =>
        QStashException.BadRequest($"invalid {name}: {value}: {rule}");
}
