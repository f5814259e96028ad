using System.Runtime.CompilerServices;
using System.Text.Json;
using FuncStash.DeadLetters;
using FuncStash.Http;
using FuncStash.Wire;

namespace FuncStash.Console.DeadLetters;

/// <summary>Dead letters as JSON lines, each as <c>GET /v2/dlq/{id}</c> has it; never more than one of them is held.</summary>
public sealed class DeadLetterExport(DeadLetterReader reader, DeadLetterStore letters)
{
    public async IAsyncEnumerable<byte[]> LinesAsync(DeadLetterQuery query, [EnumeratorCancellation] CancellationToken cancellation)
    {
        await foreach (var listed in reader.ReadAsync(query, cancellation))
        {
            // One that is sent again or deleted meanwhile is none any more.
            if (await letters.GetAsync(listed.Id, cancellation) is not { } letter
                || await DlqResource.BodyAsync(letters, letter, cancellation) is not { } body)
                continue;
            using var line = new MemoryStream();
            using (var json = new Utf8JsonWriter(line, JsonText.Options))
                DlqResource.Write(json, letter, body);
            line.WriteByte((byte)'\n');
            yield return line.ToArray();
        }
    }
}
