using System.CommandLine;
using System.Net.Sockets;

namespace FuncStash.Cli.Verbs;

/// <summary><c>ready</c>: whether a FuncStash takes messages (protocol#health), for health checks and scripts that start one. It needs no token.</summary>
internal static class ReadyVerb
{
    private static readonly TimeSpan s_interval = TimeSpan.FromMilliseconds(100);

    public static Verb Of(CommandLine commandLine)
    {
        var wait = new Option<string?>("--wait") { HelpName = "DURATION", Description = "How long it may take to become ready, such as 30s  [not at all]" };
        return new Verb(
            "ready", "Whether a FuncStash is there and takes messages. Exit code 3 when not.",
            "funcstash ready", "funcstash serve & funcstash ready --wait 10s && echo go on")
            .With(wait)
            .Runs(commandLine, async run =>
            {
                var url = run.Connection.UrlOf(run.Parsed, run.Terminal.Setting);
                var patience = run.Of(wait) is { } text ? Durations.Parse(text) : TimeSpan.Zero;
                var (time, started) = (run.Terminal.Time, run.Terminal.Time.GetTimestamp());
                using var http = new HttpMessageInvoker(new SocketsHttpHandler { ConnectTimeout = TimeSpan.FromSeconds(5) });
                string answer;
                while ((answer = await AskAsync(http, new Uri(url.ToString().TrimEnd('/') + "/ready"), time, run.Cancellation)).Length > 0)
                {
                    if (time.GetElapsedTime(started) >= patience)
                    {
                        run.Terminal.Error.WriteLine($"funcstash: {url} is not ready: {answer}");
                        return ExitCode.Unreachable;
                    }

                    await Task.Delay(s_interval, time, run.Cancellation);
                }

                run.Tell(new Dictionary<string, bool> { ["ready"] = true }, "ready");
                return ExitCode.Done;
            });
    }

    /// <summary>Why it is not ready; empty when it is.</summary>
    private static async Task<string> AskAsync(HttpMessageInvoker http, Uri url, TimeProvider time, CancellationToken cancellation)
    {
        using var late = new CancellationTokenSource(TimeSpan.FromSeconds(5), time);
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellation, late.Token);
        try
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, url);
            using var response = await http.SendAsync(request, limit.Token);
            return response.IsSuccessStatusCode ? "" : $"status {(int)response.StatusCode}";
        }
        catch (Exception error) when (error is HttpRequestException or SocketException)
        {
            return error.Message;
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            return "it does not answer";
        }
    }
}
