using System.Net;
using System.Text;
using FuncStash;
using FuncStash.Http;
using FuncStash.Messages;
using FuncStash.Server;
using FuncStash.Settings;
using FuncStash.Storage;
using FuncStash.Waiting;

Startup.RunInline();
ServerArguments arguments;
FuncStashOptions options;
try
{
    arguments = ServerArguments.Parse(args, Environment.GetEnvironmentVariable);
    options = FuncStashSettings.Read(
        Environment.GetEnvironmentVariable, allowPrivateNetworks: IPAddress.IsLoopback(arguments.Host));
    Startup.CheckCredentials(arguments, options);
}
catch (FormatException error)
{
    Console.Error.WriteLine($"funcstash: {error.Message}");
    return 2;
}
if (arguments.Help)
{
    Console.WriteLine(ServerArguments.Usage);
    return 0;
}

IStore store;
try
{
    store = Startup.OpenStore(arguments);
}
catch (Exception error) when (error is IOException or InvalidOperationException or UnauthorizedAccessException or FormatException)
{
    Console.Error.WriteLine($"funcstash: {error.Message}");
    return 1;
}

// The folder it was started in may be anybody's: no settings are taken from there, nor are its files watched.
var builder = WebApplication.CreateSlimBuilder(new WebApplicationOptions { ContentRootPath = AppContext.BaseDirectory });
builder.Logging.ClearProviders().AddSimpleConsole(console => console.SingleLine = true)
    .SetMinimumLevel(LogLevel.Warning)
    // Its scope and activity for each request would be for log lines that nobody writes: the API logs its failures itself.
    .AddFilter("Microsoft.AspNetCore.Hosting.Diagnostics", LogLevel.None)
    // A start that fails is told in one line, below.
    .AddFilter("Microsoft.Extensions.Hosting", LogLevel.Critical);
builder.WebHost.ConfigureKestrel(kestrel =>
{
    kestrel.AddServerHeader = false;
    kestrel.Limits.MaxRequestBodySize = options.MaxBatchBytes;
    // Bytes that are no UTF-8 come through as U+FFFD, and the API refuses them in JSON; Kestrel would in no words at all.
    kestrel.RequestHeaderEncodingSelector = static _ => Encoding.UTF8;
    kestrel.Listen(arguments.Host, arguments.Port);
});
// With the sockets' own setting (Startup): nothing that a request does holds its thread up; the stores see to that.
builder.WebHost.UseSockets(sockets => sockets.UnsafePreferInlineScheduling = Startup.RunsInline);
// In-flight deliveries may end; after that the process does.
builder.Services.Configure<HostOptions>(host => host.ShutdownTimeout = TimeSpan.FromSeconds(30));
builder.Services.AddSingleton(store);
builder.Services.AddSingleton<IDeliverySchedule, QueueSchedule>();
builder.Services.AddFuncStash(options);
builder.Services.AddHostedService<DeliveryWorker>();
builder.Services.AddHostedService<ScheduleLoop>();
builder.Services.AddHostedService<UpkeepLoop>();
if (OtlpExport.IsWanted)
    OtlpExport.Add(builder.Services);

builder.Services.AddCors();

await using var app = builder.Build();
// QStash's console has a page for a development server.
if (DevServer.IsUsedBy(options))
    app.UseCors(cors => cors.WithOrigins(DevServer.ConsoleOrigin).AllowAnyHeader().AllowAnyMethod());
var api = app.Services.GetRequiredService<Api>();
app.Run(api.HandleAsync);
try
{
    await app.StartAsync();
}
catch (IOException error) when (error.InnerException is Microsoft.AspNetCore.Connections.AddressInUseException)
{
    // The JS SDK looks for these words with the port at the end.
    Console.Error.WriteLine($"funcstash: address already in use: {new IPEndPoint(arguments.Host, arguments.Port)}");
    return 1;
}
Startup.Print(app.Urls.First(), options);
await app.WaitForShutdownAsync();
if (store is IAsyncDisposable disposable)
    await disposable.DisposeAsync();
return 0;
