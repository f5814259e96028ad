using System.Reflection;
using System.Text.RegularExpressions;
using FuncStash.Azure;
using FuncStash.Functions.Delivery;
using FuncStash.Messages;
using FuncStash.Storage;
using Microsoft.Azure.Functions.Worker;

namespace FuncStash.Functions.Tests.Delivery;

public sealed partial class TriggersInUseTests
{
    private static readonly IReadOnlyList<string> s_queues = new QueueSpread(WorkItem.Queue, QueueSpread.Most).Names;

    // Of each function: its name, the queue that its trigger names, and how the host calls it.
    private static readonly (string Name, string Queue, MethodInfo Method)[] s_functions =
        [.. from method in typeof(DeliveryTrigger).GetMethods()
            let function = method.GetCustomAttribute<FunctionAttribute>()
            where function is not null
            select (function.Name, method.GetParameters()[0].GetCustomAttribute<QueueTriggerAttribute>()!.QueueName, method)];

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    [InlineData(8)]
    public async Task The_host_is_told_of_one_function_for_each_queue_and_of_all_others(int queues)
    {
        var all = (await new GeneratedFunctionMetadataProvider().GetFunctionMetadataAsync("")).ToBuilder();
        var others = all.Count(function => !DeliverName().IsMatch(function.Name!));

        new TriggersInUse(queues).Transform(all);

        Assert.Equal(
            s_functions.Select(function => function.Name).Take(queues),
            all.Select(function => function.Name!).Where(name => DeliverName().IsMatch(name)).Order(StringComparer.Ordinal));
        Assert.Equal(others + queues, all.Count);
    }

    [Fact]
    public void Each_trigger_reads_one_of_the_queues_that_the_store_writes() =>
        Assert.Equal(s_queues.Select(new AzureStoreOptions().QueueName), s_functions.Select(function => function.Queue));

    [Fact]
    public async Task Each_function_tells_from_which_queue_its_message_came()
    {
        await using var stage = await Stage.StartAsync();
        foreach (var (_, _, method) in s_functions)
            await (Task)method.Invoke(stage.Get<DeliveryTrigger>(), [new WorkItem.Probe(1).Text])!;

        var noted = await stage.Store.Tables.QueryAsync("upkeep", "probe", RowRange.Prefix("through"), 10);

        Assert.Equal(["through", .. s_queues.Skip(1).Select(queue => $"through|{queue}")], noted.Select(row => row.RowKey));
    }

    [GeneratedRegex(@"^Deliver\d*$")]
    private static partial Regex DeliverName();
}
