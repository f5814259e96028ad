using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using FuncStash.Wire;

namespace FuncStash.Console.Sending;

/// <summary>A request as a program makes it.</summary>
/// <param name="Language">In which language.</param>
/// <param name="Text">The program; it takes address and token from <c>QSTASH_URL</c> and <c>QSTASH_TOKEN</c>.</param>
public sealed record CodeSample(string Language, string Text);

/// <summary>Writes the request of a form as curl, TypeScript, Python and C# without any library, so that it is this very request.</summary>
internal static partial class CodeSamples
{
    private static readonly JsonSerializerOptions s_json = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private sealed record Request(string Path, IReadOnlyList<(string Name, string Value)> Headers, string? Body)
    {
        public bool HasContentType => Headers.Any(header => header.Name == "Content-Type");
    }

    public static IReadOnlyList<CodeSample> Of(SendForm form)
    {
        var request = RequestOf(form);
        return [new("curl", Curl(request)), new("TypeScript", TypeScript(request)), new("Python", Python(request)), new("C#", CSharp(request))];
    }

    // A body that the form does not have as text is read from a file.
    private static Request RequestOf(SendForm form)
    {
        var headers = form.ToHeaders();
        var body = form.BodyOf is null ? form.Body : null;
        if (form.Mode == SendMode.Batch)
        {
            var item = new JsonObject { ["destination"] = form.Destination };
            if (form.Queue.Length > 0)
                item["queue"] = form.Queue;
            if (headers.Count > 0)
                item["headers"] = new JsonObject(
                    headers.GroupBy(header => header.Name, header => header.Value).Select(group => KeyValuePair.Create(group.Key, (JsonNode?)string.Join(", ", group))));
            if (body is null or { Length: > 0 })
                item["body"] = body ?? "…";
            return new Request("/v2/batch", [("Content-Type", "application/json")], new JsonArray(item).ToJsonString(s_json));
        }
        var path = form.Mode switch
        {
            SendMode.Enqueue => $"/v2/enqueue/{Uri.EscapeDataString(form.Queue)}/",
            SendMode.Schedule => "/v2/schedules/",
            _ => "/v2/publish/",
        };
        if (form is { Mode: SendMode.Schedule, Queue.Length: > 0 })
            headers = [.. headers, ("Upstash-Queue-Name", form.Queue)];
        return new Request(path + InPath(form.Destination), headers, body);
    }

    private static string Curl(Request request)
    {
        var text = new StringBuilder("curl -X POST ").Append("\"$QSTASH_URL\"").Append(Shell(request.Path)).Append(" \\\n  -H \"Authorization: Bearer $QSTASH_TOKEN\"");
        foreach (var (name, value) in request.Headers)
            text.Append(" \\\n  -H ").Append(Shell($"{name}: {value}"));
        // Else curl says that it is a form.
        if (!request.HasContentType && request.Body is not "")
            text.Append(" \\\n  -H 'Content-Type:'");
        if (request.Body is null)
            text.Append(" \\\n  --data-binary @body");
        else if (request.Body.Length > 0)
            // --data-raw takes a first @ as it is.
            text.Append(" \\\n  --data-raw ").Append(Shell(request.Body));
        return text.ToString();
    }

    private static string TypeScript(Request request)
    {
        var text = new StringBuilder(request.Body is null ? "import { readFile } from \"node:fs/promises\";\n\n" : "")
            .Append("const response = await fetch(process.env.QSTASH_URL + ").Append(Quoted(request.Path)).Append(", {\n  method: \"POST\",\n  headers: [\n    [\"Authorization\", `Bearer ${process.env.QSTASH_TOKEN}`],\n");
        foreach (var (name, value) in request.Headers)
            text.Append("    [").Append(Quoted(name)).Append(", ").Append(QuotedBytes(value)).Append("],\n");
        text.Append("  ],\n");
        if (request.Body is null)
            text.Append("  body: await readFile(\"body\"),\n");
        else if (request.Body.Length > 0)
            // Of a text fetch says that it is text/plain; of bytes it says nothing.
            text.Append("  body: ").Append(request.HasContentType ? Quoted(request.Body) : $"new TextEncoder().encode({Quoted(request.Body)})").Append(",\n");
        return text.Append("});\nconsole.log(response.status, await response.text());").ToString();
    }

    // With http.client, as urllib.request calls every body a form that is not called something else.
    private static string Python(Request request)
    {
        var text = new StringBuilder("import http.client, os, urllib.parse\n\nurl = urllib.parse.urlsplit(os.environ[\"QSTASH_URL\"])\n")
            .Append("connection = (http.client.HTTPSConnection if url.scheme == \"https\" else http.client.HTTPConnection)(url.netloc)\nbody = ")
            .Append(request.Body is null ? "open(\"body\", \"rb\").read()" : Quoted(request.Body) + ".encode()")
            .Append("\nconnection.putrequest(\"POST\", url.path.rstrip(\"/\") + ").Append(Quoted(request.Path)).Append(")\n")
            .Append("connection.putheader(\"Authorization\", \"Bearer \" + os.environ[\"QSTASH_TOKEN\"])\nconnection.putheader(\"Content-Length\", len(body))\n");
        foreach (var (name, value) in request.Headers)
            text.Append("connection.putheader(").Append(Quoted(name)).Append(", ").Append(QuotedBytes(value)).Append(")\n");
        return text.Append("connection.endheaders(body)\nresponse = connection.getresponse()\nprint(response.status, response.read().decode())").ToString();
    }

    private static string CSharp(Request request)
    {
        var isAscii = request.Headers.All(header => Ascii.IsValid(header.Value));
        var text = new StringBuilder(isAscii ? "using var http = new HttpClient();\n"
                : "using var http = new HttpClient(new SocketsHttpHandler { RequestHeaderEncodingSelector = (_, _) => System.Text.Encoding.UTF8 });\n")
            .Append("using var request = new HttpRequestMessage(HttpMethod.Post, Environment.GetEnvironmentVariable(\"QSTASH_URL\") + ")
            .Append(Quoted(request.Path)).Append(");\nrequest.Content = new ByteArrayContent(")
            .Append(request.Body is null ? "File.ReadAllBytes(\"body\")" : $"System.Text.Encoding.UTF8.GetBytes({Quoted(request.Body)})")
            .Append(");\nrequest.Headers.Add(\"Authorization\", \"Bearer \" + Environment.GetEnvironmentVariable(\"QSTASH_TOKEN\"));\n");
        foreach (var (name, value) in request.Headers)
            text.Append(name is "Content-Type" ? "request.Content.Headers" : "request.Headers").Append(".TryAddWithoutValidation(").Append(Quoted(name)).Append(", ").Append(Quoted(value)).Append(");\n");
        return text.Append("using var response = await http.SendAsync(request);\nConsole.WriteLine($\"{(int)response.StatusCode} {await response.Content.ReadAsStringAsync()}\");").ToString();
    }

    /// <summary>
    /// A destination as it may stand in a path: raw where no client changes it and nothing in it is taken for a setting, else
    /// percent-encoded as a whole, which the service takes back (protocol#destinations-in-paths).
    /// </summary>
    internal static string InPath(string destination) =>
        AsItIs().IsMatch(destination) && !Changed().IsMatch(destination) ? destination : Uri.EscapeDataString(destination);

    [GeneratedRegex("^[A-Za-z0-9._~:/?&=%+,;@!$()*-]*$")]
    private static partial Regex AsItIs();

    // Steps up and down, encoded letters that need not be, and parameters that belong to the service.
    [GeneratedRegex("/\\.{1,2}(?:[/?]|$)|%(?![0-9A-F]{2})|%(?:3[0-9]|[46][1-9A-F]|[57][0-9A]|2D|2E|5F|7E)|[?&](?:upstash-|qstash_token)", RegexOptions.IgnoreCase)]
    private static partial Regex Changed();

    /// <summary>A string of TypeScript, Python and C#, which agree on these escapes.</summary>
    internal static string Quoted(string text)
    {
        var quoted = new StringBuilder("\"");
        foreach (var letter in text)
        {
            _ = letter switch
            {
                '"' or '\\' => quoted.Append('\\').Append(letter),
                '\n' => quoted.Append("\\n"),
                // What ends a line in one of them.
                < ' ' or '\x7F' or '\x85' or '\u2028' or '\u2029' or '\uFEFF' => quoted.Append(CultureInfo.InvariantCulture, $"\\u{(int)letter:x4}"),
                _ => quoted.Append(letter),
            };
        }
        return quoted.Append('"').ToString();
    }

    // fetch and http.client take a value's characters for its bytes.
    private static string QuotedBytes(string value) => string.Concat(Quoted(HeaderValue.Of(value)).Select(letter =>
        letter < '\x7F' ? letter.ToString() : string.Create(CultureInfo.InvariantCulture, $"\\u{(int)letter:x4}")));

    private static string Shell(string text) => "'" + text.Replace("'", @"'\''", StringComparison.Ordinal) + "'";
}
