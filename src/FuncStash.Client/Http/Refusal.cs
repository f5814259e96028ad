using System.Globalization;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;

namespace FuncStash.Client;

/// <summary>Reads an answer that is none of 2xx: <c>{"error": "…"}</c> and the headers of rate limits.</summary>
internal static class Refusal
{
    private const int MaxBytes = 64 * 1024, MaxText = 500;

    public static async Task<QStashRequestException> ReadAsync(HttpResponseMessage response, DateTimeOffset now, CancellationToken cancellation)
    {
        var status = (int)response.StatusCode;
        var error = ErrorOf(await TextAsync(response, cancellation).ConfigureAwait(false));
        return new QStashRequestException(
            $"The service answered {status}{(error is null ? "" : ": " + error)}", status, error, WaitOf(response.Headers, now))
        {
            // A daily quota comes back tomorrow; QStash marks it with this header.
            IsTransient = status >= 500 || (status == 429 && !response.Headers.Contains("RateLimit-Limit")),
        };
    }

    private static string? ErrorOf(string text)
    {
        try
        {
            using var json = JsonDocument.Parse(text);
            if (json.RootElement.ValueKind == JsonValueKind.Object
                && json.RootElement.TryGetProperty("error", out var error) && error.ValueKind == JsonValueKind.String)
                return error.GetString();
        }
        catch (JsonException)
        {
            // A proxy's page, say: its beginning is better than nothing.
        }

        text = text.Trim();
        return text.Length == 0 ? null : text.Length <= MaxText ? text : text[..MaxText] + "…";
    }

    private static TimeSpan? WaitOf(HttpResponseHeaders headers, DateTimeOffset now)
    {
        var wait = headers.RetryAfter is { } retryAfter ? retryAfter.Delta ?? retryAfter.Date - now
            : UnixTime(headers, "Burst-RateLimit-Reset") - now ?? UnixTime(headers, "RateLimit-Reset") - now;
        return wait < TimeSpan.Zero ? TimeSpan.Zero : wait;
    }

    private static DateTimeOffset? UnixTime(HttpResponseHeaders headers, string name) =>
        headers.TryGetValues(name, out var values)
        && long.TryParse(values.First(), NumberStyles.None, CultureInfo.InvariantCulture, out var seconds)
        && seconds <= DateTimeOffset.MaxValue.ToUnixTimeSeconds()
            ? DateTimeOffset.FromUnixTimeSeconds(seconds)
            : null;

    private static async Task<string> TextAsync(HttpResponseMessage response, CancellationToken cancellation)
    {
        var stream = await response.Content.ReadAsStreamAsync(cancellation).ConfigureAwait(false);
        await using (stream.ConfigureAwait(false))
        {
            var bytes = new byte[MaxBytes];
            var length = await stream.ReadAtLeastAsync(bytes, MaxBytes, throwOnEndOfStream: false, cancellation).ConfigureAwait(false);
            return Encoding.UTF8.GetString(bytes, 0, length);
        }
    }
}
