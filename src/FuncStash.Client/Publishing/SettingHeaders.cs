using System.Buffers;
using System.Globalization;

namespace FuncStash.Client;

/// <summary>Collects the headers of a message: <c>Upstash-</c> settings, headers to forward, and the content type.</summary>
internal sealed class SettingHeaders
{
    private const string Prefix = "Upstash-", ContentTypeName = "Content-Type";

    // RFC 9110 §5.6.2.
    private static readonly SearchValues<char> s_tokenCharacters = SearchValues.Create(
        "!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz");

    private readonly Dictionary<string, string> _values;
    private readonly string _prefix;

    private SettingHeaders(Dictionary<string, string> values, string prefix) => (_values, _prefix) = (values, prefix);

    /// <summary>All headers of a message.</summary>
    /// <exception cref="ArgumentException">A name or value that no header can have.</exception>
    public static Dictionary<string, string> Of(DeliveryOptions? options, MessageBody? body)
    {
        var headers = new SettingHeaders(new(StringComparer.OrdinalIgnoreCase), Prefix);
        options?.Write(headers);
        if (body?.ContentType is { } type)
            headers._values.TryAdd(ContentTypeName, type);
        return headers._values;
    }

    /// <summary>The settings of another message that are told under a name, such as those of a callback.</summary>
    public SettingHeaders Under(string name) => new(_values, $"{_prefix}{name}-");

    /// <summary>Sets one setting, named without its prefix, unless the value is null.</summary>
    public void Set(string name, string? value)
    {
        if (value is not null)
            _values[_prefix + name] = Checked(_prefix + name, value);
    }

    public void Set(string name, int? value, int least)
    {
        if (value < least)
            throw new ArgumentOutOfRangeException(name, value, $"{name} is {least} or more.");
        Set(name, value?.ToString(CultureInfo.InvariantCulture));
    }

    /// <summary>Takes a header of the caller's: one for the destination, a setting by its whole name, or the content type.</summary>
    public void AddUserHeader(string name, string value)
    {
        ArgumentNullException.ThrowIfNull(value, name);
        if (name.Length == 0 || name.AsSpan().ContainsAnyExcept(s_tokenCharacters))
            throw new ArgumentException($"'{name}' is no name of a header.");
        if (name.StartsWith(Prefix, StringComparison.OrdinalIgnoreCase))
            Set(name[Prefix.Length..], value);
        else if (_prefix == Prefix && name.Equals(ContentTypeName, StringComparison.OrdinalIgnoreCase))
            _values[ContentTypeName] = Checked(name, value);
        else
            _values[$"{_prefix}Forward-{name}"] = Checked(name, value);
    }

    // A line break would end the header and begin another; HttpClient leaves such a header out without a word.
    public static string Checked(string name, string value) =>
        value.Any(c => char.IsControl(c) && c != '\t')
            ? throw new ArgumentException($"The value of {name} has a control character.")
            : value;
}
