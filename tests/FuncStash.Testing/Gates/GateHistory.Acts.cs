using FuncStash.Admission;
using FuncStash.Messages;

namespace FuncStash.Testing;

// What happens at the gate.
internal sealed partial class GateHistory
{
    // Whom it concerns is settled before anything happens, so that steps at the same time concern different messages.
    private Func<Task> Prepare(GateStep step)
    {
        var (gates, number) = (_processes[step.Process], step.Number);
        switch (step.Act)
        {
            case GateAct.Join or GateAct.JoinMany:
                var news = Enumerable.Range(0, step.Act == GateAct.Join ? 1 : number % (clock is null ? 12 : 60)).Select(_ => Make(step.Process)).ToList();
                // One whose operation failed comes again, after others.
                if (!HasFaults)
                    _batches.Add(news);
                return () => Task.WhenAll(news.Select(c => JoinAsync(gates, c)));
            case GateAct.Leave or GateAct.LeaveTwice when Take(_inside, number) is { } leaver:
                _ended.Add(leaver.Message, leaver);
                return () => LeaveAsync(gates, leaver, twice: step.Act == GateAct.LeaveTwice);
            case GateAct.Retry when kind == GateKind.FlowKey && Take(_inside, number) is { } again:
                return () => RetryAsync(gates, again);
            case GateAct.Withdraw when Take(number % 3 == 0 ? _inside : _line, number) is { } withdrawn:
                _ended.Add(withdrawn.Message, withdrawn);
                return () => WithdrawAsync(gates, withdrawn);
            case GateAct.Configure or GateAct.Pin:
                int? rate = number % 3 == 0 ? null : 1 + (number % 7);
                int? parallelism = rate is null || number % 2 == 0 ? 1 + (number % 5) : null;
                if (step.Act == GateAct.Configure)
                    return () => ChangeAsync(gates, s => GateRules.Configure(s, rate, parallelism, clock is null ? 1 : 1 + (number % 3), Now));
                return () => ChangeAsync(gates, s => GateRules.ResetRate(s, Now) with { Parallelism = parallelism, PinnedParallelism = true });
            case GateAct.Unpin:
                return () => ChangeAsync(gates, s => s with { PinnedParallelism = false });
            case GateAct.Pause or GateAct.Resume:
                return () => ChangeAsync(gates, s => s with { Paused = step.Act == GateAct.Pause });
            case GateAct.Advance when clock is not null:
                clock.Advance(number % 2500);
                break;
        }
        return () => Task.CompletedTask;
    }

    private static Candidate? Take(Dictionary<string, Candidate> among, int number)
    {
        if (among.Count == 0)
            return null;
        var (key, taken) = among.OrderBy(entry => entry.Key, StringComparer.Ordinal).ElementAt(number % among.Count);
        among.Remove(key);
        return taken;
    }

    private Candidate Make(int process)
    {
        var at = Now + (process == 0 ? ahead : 0);
        return Of(MessageId.Create(at, _made++, (ulong)_made), 0, at);
    }

    private static Candidate Of(MessageId id, int attempt, long dueAt) => new(id.Text, attempt, Candidate.OrderOf(id, dueAt), 0);

    private async Task JoinAsync(Gates gates, Candidate candidate)
    {
        lock (_lock)
            _line.Add(candidate.Order, candidate);
        await ApplyAsync(gates, isNew => new GateOperation.Join(candidate, announce: true, isNew, limits: null) { Last = true });
    }

    private async Task LeaveAsync(Gates gates, Candidate leaver, bool twice)
    {
        for (var i = 0; i < (twice ? 2 : 1); i++)
            await ApplyAsync(_processes[i == 0 ? Array.IndexOf(_processes, gates) : 0], Pass(leaver));
    }

    private static GateOperation.Change Pass(Candidate leaver) => new GateOperation.Change(
        state => GateRules.Pass(state, leaver.Message, leaver.Attempt, leaver.Message, []), creates: false);

    private async Task RetryAsync(Gates gates, Candidate before)
    {
        await ApplyAsync(gates, Pass(before));
        var again = Of(MessageId.Parse(before.Message), before.Attempt + 1, Now);
        lock (_lock)
        {
            _line.Add(again.Order, again);
            _retries.Add(again.Message);
        }
        if (await ApplyAsync(gates, AskAgain))
            Admit(again);

        GateOperation AskAgain(bool isFirst)
        {
            if (!isFirst)
            {
                lock (_lock)
                    _askedTwice.Add(again);
            }
            return new GateOperation.Join(again, announce: false, isNew: false, limits: null);
        }
    }

    private async Task WithdrawAsync(Gates gates, Candidate withdrawn)
    {
        await ApplyAsync(gates, _ => new GateOperation.Withdraw(withdrawn));
        await ApplyAsync(gates, Pass(withdrawn));
    }

    private Task<bool> ChangeAsync(Gates gates, Func<GateState, GateState> change) =>
        ApplyAsync(gates, new GateOperation.Change(change, creates: true));

    // What failed is done again, perhaps although it was done.
    private static async Task<bool> ApplyAsync(Gates gates, Func<bool, GateOperation> operation, GateKind kind, string name)
    {
        for (var isNew = true; ; isNew = false)
        {
            try
            {
                return await gates.RunAsync(kind, name, operation(isNew));
            }
            catch (StoreFaultException)
            {
            }
        }
    }

    private Task<bool> ApplyAsync(Gates gates, Func<bool, GateOperation> operation) => ApplyAsync(gates, operation, kind, name);

    private Task<bool> ApplyAsync(Gates gates, GateOperation operation) => ApplyAsync(gates, _ => operation switch
    {
        GateOperation.Change change => new GateOperation.Change(change.Apply, change.Creates),
        _ => operation,
    });
}
