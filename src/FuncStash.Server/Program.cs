using System.Net;
using System.Net.Sockets;
using FuncStash.Console;
using FuncStash.Http;
using FuncStash.Messages;
using FuncStash.Server.Connections;
using FuncStash.Server;
using FuncStash.Settings;
using FuncStash.Storage;
using FuncStash.Waiting;
using FuncStash;

Startup.RunInline();
ServerArguments arguments;
FuncStashOptions options;
FileShares shares;
try
{
    arguments = ServerArguments.Parse(args, Environment.GetEnvironmentVariable);
    options = FuncStashSettings.Read(
        Environment.GetEnvironmentVariable, allowPrivateNetworks: arguments.IsLocal);
    Startup.CheckCredentials(arguments, options);
    shares = FileShares.OfThisProcess();
    options = shares.Limit(options);
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

BoundSockets sockets;
try
{
    sockets = BoundSockets.Bind(arguments.Hosts, arguments.Port);
}
catch (SocketException error)
{
    return NotListening(error);
}

IStore store;
try
{
    store = Startup.OpenStore(arguments, shares);
    await DataVersion.CheckAsync(store.Tables, Console.Error);
}
catch (Exception error) when (error is IOException or InvalidOperationException or UnauthorizedAccessException or FormatException or NewerDataException)
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
builder.ListenAt(sockets, options, shares.Clients);
// In-flight deliveries may end; after that the process does.
builder.Services.Configure<HostOptions>(host => host.ShutdownTimeout = TimeSpan.FromSeconds(30));
builder.Services.AddSingleton(store);
builder.Services.AddSingleton<IDeliverySchedule, QueueSchedule>();
builder.Services.AddFuncStash(options).AddFuncStashConsole();
builder.Services.AddHostedService<DeliveryWorker>();
builder.Services.AddHostedService<ScheduleLoop>();
builder.Services.AddHostedService<UpkeepLoop>();
builder.Services.AddHostedService<QuietMemory>();
if (OtlpExport.IsWanted)
    OtlpExport.Add(builder.Services);

builder.Services.AddCors();

await using var app = builder.Build();
// QStash's console has a page for a development server.
if (DevServer.IsUsedBy(options))
    app.UseCors(cors => cors.WithOrigins(DevServer.ConsoleOrigin).AllowAnyHeader().AllowAnyMethod());
var api = app.Services.GetRequiredService<Api>();
app.Run(context => OpenClients.ServeAsync(context, api.HandleAsync));
try
{
    await app.StartAsync();
}
catch (SocketException error)
{
    return NotListening(error);
}
Console.WriteLine(Startup.Greeting($"http://{sockets.EndPoints.First()}", options));
await app.WaitForShutdownAsync();
if (store is IAsyncDisposable disposable)
    await disposable.DisposeAsync();
return 0;

int NotListening(SocketException error)
{
    // The JS SDK looks for these words with the port at the end.
    var reason = error.SocketErrorCode == SocketError.AddressAlreadyInUse ? "address already in use" : error.Message;
    Console.Error.WriteLine($"funcstash: {reason}: {new IPEndPoint(arguments.Hosts[0], arguments.Port)}");
    return 1;
}
