using System.Net;
using System.Net.Sockets;
using FuncStash.Console;
using FuncStash.Http;
using FuncStash.Messages;
using FuncStash.Server.Connections;
using FuncStash.Settings;
using FuncStash.Storage;
using FuncStash.Waiting;

namespace FuncStash.Server;

/// <summary>The embedded server, for whatever program starts it.</summary>
public static class ServerProcess
{
    /// <summary>The token of a server on this machine that was given no other one.</summary>
    public const string PublicToken = DevServer.Token;

    /// <summary>Runs the server until the process is told to end. What it has to say goes to the console.</summary>
    /// <param name="args">The command line: the options of <c>--help</c>, after a leading <c>dev</c> or without one.</param>
    /// <returns>The exit code: 0 when it ended as it was told, 1 when it could not start, 2 for a wrong command line or setting.</returns>
    public static async Task<int> RunAsync(IReadOnlyList<string> args)
    {
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
            System.Console.Error.WriteLine($"funcstash: {error.Message}");
            return 2;
        }
        if (arguments.Help)
        {
            System.Console.WriteLine(ServerArguments.Usage);
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

        // Beside the making of the host: together they are most of the time until the first answer.
        var opening = Task.Run(() => OpenStoreAsync(arguments, options, shares));

        // No settings but FuncStash's own: the folder it was started in may be anybody's.
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions { ContentRootPath = AppContext.BaseDirectory });
        builder.WebHost.UseKestrelCore();
        builder.Logging.AddSimpleConsole(console => console.SingleLine = true)
            .SetMinimumLevel(LogLevel.Warning)
            // Its scope and activity for each request would be for log lines that nobody writes: the API logs its failures itself.
            .AddFilter("Microsoft.AspNetCore.Hosting.Diagnostics", LogLevel.None)
            // A start that fails is told in one line, below.
            .AddFilter("Microsoft.Extensions.Hosting", LogLevel.Critical);
        builder.ListenAt(sockets, options, shares.Clients);
        // In-flight deliveries may end; after that the process does.
        builder.Services.Configure<HostOptions>(host => host.ShutdownTimeout = TimeSpan.FromSeconds(30));
        // Asked for once it is open.
        builder.Services.AddSingleton(_ => opening.Result);
        builder.Services.AddSingleton<IDeliverySchedule, QueueSchedule>();
        builder.Services.AddFuncStash(options).AddFuncStashConsole();
        builder.Services.AddHostedService<DeliveryWorker>();
        builder.Services.AddHostedService<ScheduleLoop>();
        builder.Services.AddHostedService<UpkeepLoop>();
        builder.Services.AddHostedService<QuietMemory>();
        if (OtlpExport.IsWanted)
            OtlpExport.Add(builder);

        builder.Services.AddCors();

        await using var app = builder.Build();
        // QStash's console has a page for a development server.
        if (DevServer.IsUsedBy(options))
            app.UseCors(cors => cors.WithOrigins(DevServer.ConsoleOrigin).AllowAnyHeader().AllowAnyMethod());
        try
        {
            await opening;
        }
        catch (Exception error) when (error is IOException or InvalidOperationException or UnauthorizedAccessException or FormatException or NewerDataException)
        {
            System.Console.Error.WriteLine($"funcstash: {error.Message}");
            return 1;
        }

        var api = Task.Run(app.Services.GetRequiredService<Api>);
        app.Run(context => OpenClients.ServeAsync(context, async each => await (await api).HandleAsync(each)));
        try
        {
            await app.StartAsync();
        }
        catch (SocketException error)
        {
            return NotListening(error);
        }
        Startup.Say(Startup.Greeting($"http://{sockets.EndPoints.First()}", options));
        await app.WaitForShutdownAsync();
        return 0;

        int NotListening(SocketException error)
        {
            // The JS SDK looks for these words with the port at the end.
            var reason = error.SocketErrorCode == SocketError.AddressAlreadyInUse ? "address already in use" : error.Message;
            System.Console.Error.WriteLine($"funcstash: {reason}: {new IPEndPoint(arguments.Hosts[0], arguments.Port)}");
            return 1;
        }
    }

    private static async Task<IStore> OpenStoreAsync(ServerArguments arguments, FuncStashOptions options, FileShares shares)
    {
        var store = Startup.OpenStore(arguments, options, shares);
        await DataVersion.CheckAsync(store.Tables, System.Console.Error);
        return store;
    }
}
