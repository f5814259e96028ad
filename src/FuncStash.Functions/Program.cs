using FuncStash.Azure;
using FuncStash.Console;
using FuncStash.Functions.Delivery;
using FuncStash.Functions.Upkeep;
using FuncStash.Functions.Waiting;
using FuncStash.Functions;
using FuncStash.Http;
using FuncStash.Messages;
using FuncStash.Settings;
using FuncStash.Storage;
using FuncStash.Waiting;
using FuncStash;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Azure.Functions.Worker.Builder;
using Microsoft.Azure.Functions.Worker.Core.FunctionMetadata;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

var builder = FunctionsApplication.CreateBuilder(args);
builder.ConfigureFunctionsWebApplication();
string? Setting(string name) => builder.Configuration[name];
var shares = FileShares.OfThisProcess();
var options = Startup.Options(Setting, shares);

builder.Services.Configure<KestrelServerOptions>(kestrel => KestrelSetup.Apply(kestrel, options));
var store = new AzureStore(AzureStoreOptions.FromConfiguration(Setting) with
{
    OperationPolicy = new OperationCounter(),
    MaxConnections = shares.Storage,
    Spread = new QueueSpread(WorkItem.Queue, options.WorkQueues),
});
await DataVersion.CheckAsync(store.Tables, Console.Error);
builder.Services.AddSingleton<IStore>(store);
builder.Services.AddSingleton<IFunctionMetadataTransformer>(new TriggersInUse(options.WorkQueues));
builder.Services.AddSingleton<DurableAlarms>();
builder.Services.AddSingleton<IAlarmClock>(services => services.GetRequiredService<DurableAlarms>());
builder.Services.AddSingleton<IDeliverySchedule, BucketSchedule>();
builder.Services.AddSingleton(services => new Presence(store.Tables, services.GetRequiredService<TimeProvider>(), isShown: true));
builder.Services.AddHostedService<SignsOfLife>();
builder.Services.AddUpkeep();
builder.Services.AddFuncStash(options).AddFuncStashConsole();
builder.AddTelemetry(Setting);
builder.Build().Run();
