using FuncStash.Console.Access;
using FuncStash.Console.DeadLetters;
using FuncStash.Console.FlowKeys;
using FuncStash.Console.Live;
using FuncStash.Console.Messages;
using FuncStash.Console.Overview;
using FuncStash.Console.Parts;
using FuncStash.Console.Queues;
using FuncStash.Console.Schedules;
using FuncStash.Console.Sending;
using FuncStash.Console.Service;
using FuncStash.Console.Serving;
using FuncStash.Console.UrlGroups;
using FuncStash.Console.Workflows;
using FuncStash.Http;
using Microsoft.Extensions.DependencyInjection;

namespace FuncStash.Console;

public static class ConsoleServices
{
    /// <summary>Adds the console to the service: <c>/console</c>, to which <c>/</c> leads a browser.</summary>
    public static IServiceCollection AddFuncStashConsole(this IServiceCollection services)
    {
        services.AddSingleton<Sessions>();
        services.AddSingleton<PageWriter>();
        // Before the pages, which have an answer to every address that is left.
        services.AddSingleton<IResource, EchoResource>();
        services.AddSingleton<IResource, ConsoleResource>();
        services.AddSingleton<MessageReader>();
        services.AddSingleton<BulkAction>();
        services.AddSingleton<RetryChanges>();
        services.AddSingleton<DeadLetterExport>();
        services.AddSingleton<IPages, SignInPages>();
        services.AddSingleton<IPages, OverviewPages>();
        services.AddSingleton<IPages, MessagePages>();
        services.AddSingleton<IPages, DeadLetterPages>();
        services.AddSingleton<MessageLookup>();
        services.AddSingleton<IPages, SchedulePages>();
        services.AddSingleton<IPages, UrlGroupPages>();
        services.AddSingleton<IPages, QueuePages>();
        services.AddSingleton<IPages, FlowKeyPages>();
        services.AddSingleton<IPages, SendPages>();
        services.AddSingleton<ServiceReport>();
        services.AddSingleton<SignatureCheck>();
        services.AddSingleton<IResource, ServiceResource>();
        services.AddSingleton<IPages, ServicePages>();
        services.AddSingleton<IPages, LivePages>();
        services.AddSingleton<IPages, RunPages>();
        return services;
    }
}
