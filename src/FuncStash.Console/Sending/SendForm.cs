using System.Text;
using FuncStash.Headers;
using FuncStash.Publishing;
using FuncStash.Queues;
using FuncStash.Settings;
using FuncStash.Wire;

namespace FuncStash.Console.Sending;

/// <summary>How what the form says is sent.</summary>
public enum SendMode
{
    Publish,
    Enqueue,
    Batch,
    Schedule,
}

/// <summary>A request as it stands in the form, whether or not it could be sent.</summary>
public sealed record SendForm
{
    /// <summary>Its own name, as in <see cref="Once"/>; null for one that was made by hand.</summary>
    public string? Name { get; init; }

    public SendMode Mode { get; init; }

    public string Destination { get; init; } = "";

    public string Queue { get; init; } = "";

    /// <summary>Settings by the names of their headers, in the spelling of <see cref="SendOptions"/>; empty ones are none.</summary>
    public IReadOnlyDictionary<string, string> Options { get; init; } = new Dictionary<string, string>();

    public string ContentType { get; init; } = "";

    /// <summary>Headers for the destination, <c>Name: value</c> a line.</summary>
    public string Headers { get; init; } = "";

    /// <summary>Settings that have no field of their own, such as those of callbacks: <c>Upstash-Callback-Retries: 1</c> a line.</summary>
    public string More { get; init; } = "";

    public string Body { get; init; } = "";

    /// <summary>What has the body where it is not to be edited as text: <c>message:ID</c> or <c>schedule:ID</c>.</summary>
    public string? BodyOf { get; init; }

    public string Option(string name) => Options.GetValueOrDefault(name, "");

    public static SendForm Of(Func<string, string?> value) => new()
    {
        Name = Once.Checked(value(Once.Name)),
        Mode = Enum.TryParse<SendMode>(value("mode"), ignoreCase: true, out var mode) && Enum.IsDefined(mode) ? mode : SendMode.Publish,
        Destination = value("destination")?.Trim() ?? "",
        Queue = value("queue")?.Trim() ?? "",
        Options = SendOptions.Names.Select(name => (Name: name, Value: value(name)?.Trim() ?? ""))
            .Where(option => option.Value.Length > 0).ToDictionary(option => option.Name, option => option.Value),
        ContentType = value("content-type")?.Trim() ?? "",
        Headers = Lines(value("headers")),
        More = Lines(value("more")),
        Body = Lines(value("body")),
        BodyOf = value("body-of") is { } source && value("new-body") is null ? source : null,
    };

    /// <summary>The form that sends settings and a body again.</summary>
    /// <param name="settings">The settings.</param>
    /// <param name="destination">Where to.</param>
    /// <param name="body">The body.</param>
    /// <param name="source">What has it, as in <see cref="BodyOf"/>.</param>
    public static SendForm Of(PublishSettings settings, string destination, byte[] body, string source)
    {
        var written = PublishSettingsWriter.Write(settings).Select(header => (header.Name, Value: HeaderValue.ToText(header.Value))).ToList();
        var forwarded = written.Where(header => header.Name.StartsWith(HeaderTable.ForwardPrefix, StringComparison.OrdinalIgnoreCase))
            .Select(header => (Name: header.Name[HeaderTable.ForwardPrefix.Length..], header.Value)).ToList();
        var type = forwarded.Find(header => header.Name == "Content-Type");
        var options = written.Where(header => SendOptions.Names.Contains(header.Name)).ToDictionary(header => header.Name, header => header.Value);
        var text = TextOf(body);
        return new SendForm
        {
            Mode = settings.Cron is not null ? SendMode.Schedule : settings.QueueName is not null ? SendMode.Enqueue : SendMode.Publish,
            Destination = destination,
            Queue = settings.QueueName ?? "",
            Options = options,
            ContentType = type.Value ?? "",
            Headers = Join(forwarded.Where(header => header != type)),
            More = Join(written.Where(header => !options.ContainsKey(header.Name) && header.Name != "Upstash-Queue-Name"
                && !header.Name.StartsWith(HeaderTable.ForwardPrefix, StringComparison.OrdinalIgnoreCase))),
            Body = text ?? "",
            BodyOf = text is null ? source : null,
        };
    }

    /// <summary>The headers that ask for what the form says.</summary>
    /// <exception cref="QStashException">400 for a line that is no header, and for a field that is filled in and not for this mode.</exception>
    public IReadOnlyList<(string Name, string Value)> ToHeaders()
    {
        if (Queue.Length > 0 && Mode == SendMode.Publish)
            throw QStashException.BadRequest("The queue is only for Enqueue, Batch and Schedule: choose one of them, or empty the field.");
        var headers = new List<(string, string)>();
        if (ContentType.Length > 0)
            headers.Add(("Content-Type", ContentType));
        foreach (var option in SendOptions.All.Where(option => Option(option.Name).Length > 0))
        {
            // What somebody filled in is to have an effect.
            if (Mode != SendMode.Schedule && SendOptions.IsOfSchedule(option.Name))
                throw QStashException.BadRequest($"{option.Name} is only for Schedule: choose that, or empty the field.");
            if (Mode == SendMode.Schedule && !option.IsOfSchedules)
                throw QStashException.BadRequest($"{option.Name} is only for messages that are sent once, not for Schedule: empty the field.");
            headers.Add((option.Name, Option(option.Name)));
        }
        headers.AddRange(Read(Headers, "headers").Select(header => (HeaderTable.ForwardPrefix + header.Name, header.Value)));
        headers.AddRange(Read(More, "more settings"));
        return headers;
    }

    /// <summary>The publish that the form asks for.</summary>
    /// <exception cref="QStashException">The refusal of what cannot be read.</exception>
    public PublishRequest ToRequest(byte[] body, string callerIp, FuncStashOptions options)
    {
        var reader = new PublishSettingsReader(options);
        foreach (var header in ToHeaders().GroupBy(header => header.Name, header => HeaderValue.Of(header.Value), StringComparer.OrdinalIgnoreCase))
            reader.ReadLines(header.Key, [.. header]);
        var settings = reader.ToNewSettings();
        if (Mode == SendMode.Schedule && settings.Cron is null)
            throw QStashException.BadRequest("Upstash-Cron is missing");
        var needsQueue = Mode == SendMode.Enqueue || (Queue.Length > 0 && Mode is SendMode.Batch or SendMode.Schedule);
        return new PublishRequest(Destination, settings, body)
        {
            CallerIp = callerIp,
            QueueName = needsQueue ? QueueService.Checked(Queue) : null,
        };
    }

    private static List<(string Name, string Value)> Read(string lines, string what)
    {
        var headers = new List<(string, string)>();
        foreach (var line in lines.Split('\n').Select(line => line.Trim()).Where(line => line.Length > 0))
        {
            var colon = line.IndexOf(':', StringComparison.Ordinal);
            if (colon <= 0)
                throw QStashException.BadRequest($"invalid line of {what}: {ShortText.Of(line, 80)}: it must be NAME: VALUE");
            headers.Add((line[..colon].Trim(), line[(colon + 1)..].Trim()));
        }
        return headers;
    }

    private static string Join(IEnumerable<(string Name, string Value)> headers) =>
        string.Join('\n', headers.Select(header => $"{header.Name}: {header.Value}"));

    // A browser sends the ends of lines as CR LF.
    private static string Lines(string? text) => text?.Replace("\r\n", "\n", StringComparison.Ordinal) ?? "";

    // What a text field would change, or is too long for one, is not edited.
    private static string? TextOf(byte[] body)
    {
        const int MaxEdited = 256 * 1024;
        if (body.Length > MaxEdited || body.Contains((byte)'\r') || body.Contains((byte)0) || !System.Text.Unicode.Utf8.IsValid(body))
            return null;
        var text = Encoding.UTF8.GetString(body);
        return text.StartsWith('\uFEFF') ? null : text;
    }
}
