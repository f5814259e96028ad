using System.Text;
using FuncStash.Messages;
using FuncStash.Runs;
using FuncStash.Settings;
using FuncStash.Storage;

namespace FuncStash.Tests.Workflows;

/// <summary>What a process remembers of a run is never older than the run's row.</summary>
public sealed class RecentRunTests : IAsyncLifetime
{
    private TestService _service = null!;
    private WorkflowEndpoint _flow = null!;

    public async ValueTask InitializeAsync()
    {
        _service = new TestService();
        _flow = await WorkflowEndpoint.StartAsync(_service);
    }

    public async ValueTask DisposeAsync()
    {
        await _flow.DisposeAsync();
        await _service.DisposeAsync();
    }

    [Fact]
    public async Task The_steps_of_a_run_are_known_without_being_read()
    {
        await _flow.StartAsync("wfr_a", "p");
        var runs = _service.Get<RunStore>();
        var key = (await _service.Get<RunIndex>().FindAsync("wfr_a"))!.Value;

        var known = await runs.StepsAsync((await runs.LiveAsync(key))!, long.MaxValue);

        Assert.Same(known, await runs.StepsAsync((await runs.LiveAsync(key))!, long.MaxValue));
        Assert.Equal("p", Encoding.UTF8.GetString(Assert.Single(known).Body));
    }

    [Fact]
    public async Task A_step_that_another_process_takes_in_is_seen()
    {
        await _flow.StartAsync("wfr_a", "p");
        var runs = _service.Get<RunStore>();
        var other = new RunStore(_service.Get<IStore>(), _service.Get<MessageStore>());
        var key = (await _service.Get<RunIndex>().FindAsync("wfr_a"))!.Value;
        await runs.StepsAsync((await runs.LiveAsync(key))!, long.MaxValue);

        var there = (await other.LiveAsync(key))!;
        var step = new RunStep(StepKey.Result(1), key.Text, key.CreatedAt) { Body = [1], Size = 1 };
        Assert.Null(await other.CommitAsync(there, RunRules.Append(there, [new Submission(step, null)], new WorkflowLimits())));

        var steps = await runs.StepsAsync((await runs.LiveAsync(key))!, long.MaxValue);
        Assert.Equal([StepKey.Initial, StepKey.Result(1)], steps.Select(one => one.Key));
    }

    [Fact]
    public async Task A_change_that_came_too_late_is_not_remembered()
    {
        await _flow.StartAsync("wfr_a", "p");
        var runs = _service.Get<RunStore>();
        var key = (await _service.Get<RunIndex>().FindAsync("wfr_a"))!.Value;
        var run = (await runs.LiveAsync(key))!;
        await runs.StepsAsync(run, long.MaxValue);

        RunChange Taking(byte result) => RunRules.Append(
            run, [new Submission(new RunStep(StepKey.Result(1), key.Text, key.CreatedAt) { Body = [result], Size = 1 }, null)], new WorkflowLimits());
        Assert.Null(await runs.CommitAsync(run, Taking(1)));
        Assert.NotNull(await runs.CommitAsync(run, Taking(2)));

        var steps = await runs.StepsAsync((await runs.LiveAsync(key))!, long.MaxValue);
        Assert.Equal([1], steps[^1].Body);
    }
}
