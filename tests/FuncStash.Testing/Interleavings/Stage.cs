using System.Runtime.ExceptionServices;
using FuncStash.Storage;

namespace FuncStash.Testing;

/// <summary>
/// A store on which several actors act at once, one storage call at a time, in an order that a seed decides; and on
/// which an actor can die before or after any of its calls.
/// </summary>
internal sealed class Stage(IStore inner, int seed) : IStore, ITables, IBodies, IWorkQueues
{
    private readonly AsyncLocal<Actor?> _actor = new();
    private readonly Random _random = new(seed);
    private readonly Lock _lock = new();
    private readonly List<Turn> _waiting = [];
    private readonly int _persistence = new Random(seed).Next(10);
    private Actor? _latest;
    private TaskCompletionSource? _quiet;
    private Exception? _failure;

    // Calls under way; and these with the actors of which none waits for its turn.
    private int _calls, _running;

    /// <summary>How many of a hundred calls kill their actor.</summary>
    public int DeathsPerHundred { get; set; }

    /// <summary>How a commit goes wrong for the one who makes it, who lives on.</summary>
    public Func<Commit, Fault> Faults { get; set; } = _ => Fault.None;

    /// <summary>Called after each commit that was applied.</summary>
    public Action<Commit> Committed { get; set; } = _ => { };

    public ITables Tables => this;

    public IBodies Bodies => this;

    public IWorkQueues Queues => this;

    /// <summary>A number from 0 to below <paramref name="most"/>, as the seed has it.</summary>
    public int Next(int most)
    {
        lock (_lock)
            return _random.Next(most);
    }

    /// <summary>Brings an actor onto the stage. It waits for its turn before each of its storage calls.</summary>
    /// <returns>The actor, for <see cref="PauseAsync"/>.</returns>
    public object Enter(Func<Task> act)
    {
        var actor = new Actor();
        lock (_lock)
            _running++;
        _ = Task.Run(async () =>
        {
            _actor.Value = actor;
            try
            {
                await act();
            }
            catch (ActorDiedException)
            {
            }
            catch (Exception error)
            {
                _failure = error;
            }
            finally
            {
                lock (_lock)
                {
                    actor.HasEnded = true;
                    if (actor.Waiting == 0)
                        _running--;
                    TellWhetherQuiet();
                }
            }
        });
        return actor;
    }

    /// <summary>What the caller does from here on, an actor does.</summary>
    public void Become(object actor) => _actor.Value = (Actor)actor;

    /// <summary>Lets an actor wait for its turn though it makes no storage call; mostly others come first.</summary>
    public async Task PauseAsync(object actor)
    {
        await ComeAsync((Actor)actor, isPause: true);
        Leave();
    }

    /// <summary>Lets actors make so many calls in all; fewer when none is left that has one to make.</summary>
    public async Task PlayAsync(int calls = int.MaxValue)
    {
        for (; calls > 0; calls--)
        {
            await QuietAsync();
            if (_failure is { } failure)
                ExceptionDispatchInfo.Throw(failure);
            Turn turn;
            lock (_lock)
            {
                if (_waiting.Count == 0)
                    return;
                turn = Pick();
            }
            turn.Go.SetResult();
        }
    }

    private async Task QuietAsync()
    {
        Task quiet;
        lock (_lock)
        {
            if (IsQuiet)
                return;
            _quiet = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            quiet = _quiet.Task;
        }
        try
        {
            await quiet.WaitAsync(TimeSpan.FromSeconds(60), TimeProvider.System);
        }
        catch (TimeoutException)
        {
            throw new TimeoutException($"{_running} are under way and {_waiting.Count} calls wait for their turn", _failure);
        }
    }

    // An actor may wait for what one before it left running.
    private bool IsQuiet => _running == 0 || (_calls == 0 && _waiting.Exists(turn => turn.Actor.HasEnded));

    private void TellWhetherQuiet()
    {
        if (IsQuiet)
            _quiet?.TrySetResult();
    }

    public bool IsWhole => inner.IsWhole;

    public bool IsFault(Exception error) => error is StoreFaultException || inner.IsFault(error);

    public ValueTask PingAsync(CancellationToken cancellation = default) => inner.PingAsync(cancellation);

    ValueTask<Entity?> ITables.GetAsync(string table, string partitionKey, string rowKey, IReadOnlyList<string>? only, CancellationToken cancellation) =>
        TurnAsync(() => inner.Tables.GetAsync(table, partitionKey, rowKey, only, cancellation));

    ValueTask<IReadOnlyList<Entity>> ITables.QueryAsync(
        string table, string partitionKey, RowRange range, int take, IReadOnlyList<string>? only, CancellationToken cancellation) =>
        TurnAsync(() => inner.Tables.QueryAsync(table, partitionKey, range, take, only, cancellation));

    ValueTask<CommitResult> ITables.CommitAsync(Commit commit, CancellationToken cancellation) => TurnAsync(async () =>
    {
        var fault = Faults(commit);
        if (fault == Fault.Before)
            throw new StoreFaultException();
        var result = await inner.Tables.CommitAsync(commit, cancellation);
        if (!result.Applied)
            return result;
        Committed(commit);
        return fault == Fault.None ? result : throw new StoreFaultException();
    });

    ValueTask IBodies.PutAsync(string name, ReadOnlyMemory<byte> content, CancellationToken cancellation) =>
        TurnAsync(() => inner.Bodies.PutAsync(name, content, cancellation));

    ValueTask<BodyPage> IBodies.ListAsync(DateTimeOffset since, DateTimeOffset before, string? after, int take, CancellationToken cancellation) =>
        TurnAsync(() => inner.Bodies.ListAsync(since, before, after, take, cancellation));

    ValueTask<byte[]?> IBodies.GetAsync(string name, CancellationToken cancellation) =>
        TurnAsync(() => inner.Bodies.GetAsync(name, cancellation));

    ValueTask IBodies.DeleteAsync(string name, CancellationToken cancellation) =>
        TurnAsync(() => inner.Bodies.DeleteAsync(name, cancellation));

    ValueTask IWorkQueues.SendAsync(IReadOnlyList<Send> sends, CancellationToken cancellation) =>
        TurnAsync(() => inner.Queues.SendAsync(sends, cancellation));

    ValueTask<IReadOnlyList<Lease>> IWorkQueues.ReceiveAsync(
        string queue, int max, TimeSpan lease, TimeSpan wait, CancellationToken cancellation) =>
        TurnAsync(() => inner.Queues.ReceiveAsync(queue, max, lease, wait, cancellation));

    ValueTask<bool> IWorkQueues.RenewAsync(Lease lease, TimeSpan visibleIn, CancellationToken cancellation) =>
        TurnAsync(() => inner.Queues.RenewAsync(lease, visibleIn, cancellation));

    ValueTask<bool> IWorkQueues.DeleteAsync(Lease lease, CancellationToken cancellation) =>
        TurnAsync(() => inner.Queues.DeleteAsync(lease, cancellation));

    ValueTask<bool> IWorkQueues.PoisonAsync(Lease lease, CancellationToken cancellation) =>
        TurnAsync(() => inner.Queues.PoisonAsync(lease, cancellation));

    ValueTask<long> IWorkQueues.CountAsync(string queue, CancellationToken cancellation) =>
        TurnAsync(() => inner.Queues.CountAsync(queue, cancellation));

    private async ValueTask TurnAsync(Func<ValueTask> call) => await TurnAsync(async () =>
    {
        await call();
        return true;
    });

    private async ValueTask<T> TurnAsync<T>(Func<ValueTask<T>> call)
    {
        if (_actor.Value is not { } actor)
            return await call();
        await ComeAsync(actor);
        try
        {
            if (actor.DiesBefore)
                throw new ActorDiedException();
            var result = await call();
            if (!actor.DiesAfter)
                return result;
            actor.DiesBefore = true;
            throw new ActorDiedException();
        }
        finally
        {
            Leave();
        }
    }

    private async Task ComeAsync(Actor actor, bool isPause = false)
    {
        var turn = new Turn(actor, isPause);
        lock (_lock)
        {
            _waiting.Add(turn);
            if (++actor.Waiting == 1 && !actor.HasEnded)
                _running--;
            TellWhetherQuiet();
        }
        await turn.Go.Task;
    }

    private Turn Pick()
    {
        // While actors run it is the turn of what others left running.
        var ready = _running == 0 ? _waiting : _waiting.FindAll(turn => turn.Actor.HasEnded);
        // Some stages let an actor go on for a while, so that another is overtaken by all that it does.
        var index = ready.FindIndex(turn => turn.Actor == _latest);
        if (index < 0 || _random.Next(10) >= _persistence)
            index = _random.Next(ready.Count);
        if (ready[index].IsPause && _random.Next(4) > 0)
            index = _random.Next(ready.Count);
        var next = ready[index];
        _waiting.Remove(next);
        var actor = _latest = next.Actor;
        (_calls, _running) = (_calls + 1, _running + 1);
        if (--actor.Waiting == 0 && !actor.HasEnded)
            _running++;
        var fate = _random.Next(200);
        actor.DiesBefore |= fate < DeathsPerHundred;
        actor.DiesAfter = fate >= 200 - DeathsPerHundred;
        return next;
    }

    private void Leave()
    {
        lock (_lock)
        {
            (_calls, _running) = (_calls - 1, _running - 1);
            TellWhetherQuiet();
        }
    }

    private sealed class Actor
    {
        /// <summary>Its calls that wait for their turn: several where it does things side by side.</summary>
        public int Waiting { get; set; }

        /// <summary>What it left running goes on.</summary>
        public bool HasEnded { get; set; }

        public bool DiesBefore { get; set; }

        public bool DiesAfter { get; set; }
    }

    private sealed class Turn(Actor actor, bool isPause)
    {
        public Actor Actor { get; } = actor;

        public bool IsPause { get; } = isPause;

        public TaskCompletionSource Go { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }

    private sealed class ActorDiedException : Exception;
}
