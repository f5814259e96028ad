// dotnet run --project examples/dotnet -- job URL
using FuncStash.Examples;

await (args switch
{
    ["job", var url] => Job.RunAsync(url),
    ["schedule", var url] => Schedule.RunAsync(url),
    ["fifo", var url] => Fifo.RunAsync(url),
    ["callback", var url] => Callback.RunAsync(url),
    ["signature"] => Signature.RunAsync(),
    _ => Console.Error.WriteLineAsync("job URL | schedule URL | fifo URL | callback URL | signature"),
});
