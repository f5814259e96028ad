using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace FuncStash.Console.Sending;

/// <summary>A request as a program makes it.</summary>
/// <param name="Language">In which language.</param>
/// <param name="Text">The program; it takes address and token from <c>QSTASH_URL</c> and <c>QSTASH_TOKEN</c>.</param>
public sealed record CodeSample(string Language, string Text);

/// <summary>Writes the request of a form as curl, TypeScript, Python and C# without any library, so that it is this very request.</summary>
internal static class CodeSamples
{
    private static readonly JsonSerializerOptions s_json = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private sealed record Request(string Path, IReadOnlyList<(string Name, string Value)> Headers, string? Body);

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
            var item = new Dictionary<string, object> { ["destination"] = form.Destination };
            if (form.Queue.Length > 0)
                item["queue"] = form.Queue;
            if (headers.Count > 0)
                item["headers"] = headers.GroupBy(header => header.Name).ToDictionary(group => group.Key, group => string.Join(", ", group.Select(header => header.Value)));
            if (body is null or { Length: > 0 })
                item["body"] = body ?? "…";
            return new Request("/v2/batch", [("Content-Type", "application/json")], JsonSerializer.Serialize(new[] { item }, s_json));
        }
        var path = form.Mode switch
        {
            SendMode.Enqueue => $"/v2/enqueue/{Uri.EscapeDataString(form.Queue)}/",
            SendMode.Schedule => "/v2/schedules/",
            _ => "/v2/publish/",
        };
        if (form is { Mode: SendMode.Schedule, Queue.Length: > 0 })
            headers = [.. headers, ("Upstash-Queue-Name", form.Queue)];
        return new Request(path + form.Destination, headers, body);
    }

    private static string Curl(Request request)
    {
        var text = new StringBuilder("curl -X POST ").Append("\"$QSTASH_URL\"").Append(Shell(request.Path)).Append(" \\\n  -H \"Authorization: Bearer $QSTASH_TOKEN\"");
        foreach (var (name, value) in request.Headers)
            text.Append(" \\\n  -H ").Append(Shell($"{name}: {value}"));
        // Else curl says that it is a form.
        if (request.Body is null or { Length: > 0 } && !request.Headers.Any(header => header.Name == "Content-Type"))
            text.Append(" \\\n  -H 'Content-Type;'");
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
            text.Append("    [").Append(Quoted(name)).Append(", ").Append(Quoted(value)).Append("],\n");
        text.Append("  ],\n");
        if (request.Body is null)
            text.Append("  body: await readFile(\"body\"),\n");
        else if (request.Body.Length > 0)
            text.Append("  body: ").Append(Quoted(request.Body)).Append(",\n");
        return text.Append("});\nconsole.log(response.status, await response.text());").ToString();
    }

    private static string Python(Request request)
    {
        var text = new StringBuilder("import os, urllib.request\n\nrequest = urllib.request.Request(\n    os.environ[\"QSTASH_URL\"] + ").Append(Quoted(request.Path)).Append(",\n    method=\"POST\",\n    data=");
        text.Append(request.Body is null ? "open(\"body\", \"rb\").read()" : Quoted(request.Body) + ".encode()").Append(",\n)\n");
        text.Append("request.add_header(\"Authorization\", \"Bearer \" + os.environ[\"QSTASH_TOKEN\"])\n");
        foreach (var (name, value) in request.Headers)
            text.Append("request.add_header(").Append(Quoted(name)).Append(", ").Append(Quoted(value)).Append(")\n");
        return text.Append("with urllib.request.urlopen(request) as response:\n    print(response.status, response.read().decode())").ToString();
    }

    private static string CSharp(Request request)
    {
        var text = new StringBuilder("using var http = new HttpClient();\nusing var request = new HttpRequestMessage(HttpMethod.Post, Environment.GetEnvironmentVariable(\"QSTASH_URL\") + ")
            .Append(Quoted(request.Path)).Append(");\nrequest.Content = new ByteArrayContent(")
            .Append(request.Body is null ? "File.ReadAllBytes(\"body\")" : $"System.Text.Encoding.UTF8.GetBytes({Quoted(request.Body)})")
            .Append(");\nrequest.Headers.Add(\"Authorization\", \"Bearer \" + Environment.GetEnvironmentVariable(\"QSTASH_TOKEN\"));\n");
        foreach (var (name, value) in request.Headers)
            text.Append(name is "Content-Type" or "Content-Encoding" ? "request.Content.Headers" : "request.Headers").Append(".TryAddWithoutValidation(").Append(Quoted(name)).Append(", ").Append(Quoted(value)).Append(");\n");
        return text.Append("using var response = await http.SendAsync(request);\nConsole.WriteLine($\"{(int)response.StatusCode} {await response.Content.ReadAsStringAsync()}\");").ToString();
    }

    // A JSON string is one of TypeScript, Python and C# too.
    private static string Quoted(string text) => JsonSerializer.Serialize(text, s_json);

    private static string Shell(string text) => "'" + text.Replace("'", @"'\''", StringComparison.Ordinal) + "'";
}
