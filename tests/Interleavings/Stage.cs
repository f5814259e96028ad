using FuncStash.Storage;

namespace FuncStash.Testing;

/// <summary>
/// A store on which several actors act at once, one storage call at a time, in an order that a seed decides; and on
/// which an actor can die before or after any of its calls.
/// </summary>
internal sealed class Stage(IStore inner, int seed) : IStore, ITables, IBodies
{
    private readonly AsyncLocal<Actor?> _actor = new();
    private readonly Random _random = new(seed);
    private readonly Lock _lock = new();
    private readonly List<(Actor Actor, TaskCompletionSource Go)> _waiting = [];
    private readonly int _persistence = new Random(seed).Next(10);
    private Actor? _latest;
    private TaskCompletionSource _quiet = new();
    private int _running;

    /// <summary>How many of a hundred calls kill their actor.</summary>
    public int DeathsPerHundred { get; set; }

    /// <summary>Called after each commit that was applied.</summary>
    public Action<Commit> Committed { get; set; } = _ => { };

    public ITables Tables => this;

    public IBodies Bodies => this;

    public IWorkQueues Queues => inner.Queues;

    /// <summary>A number from 0 to below <paramref name="most"/>, as the seed has it.</summary>
    public int Next(int most)
    {
        lock (_lock)
            return _random.Next(most);
    }

    /// <summary>Brings an actor onto the stage. It waits for its turn before each of its storage calls.</summary>
    public void Enter(Func<Task> act)
    {
        Start();
        _ = Task.Run(async () =>
        {
            _actor.Value = new Actor();
            try
            {
                await act();
            }
            catch (ActorDiedException)
            {
            }
            finally
            {
                Rest();
            }
        });
    }

    /// <summary>Lets actors make so many calls in all; fewer when none is left that has one to make.</summary>
    public async Task PlayAsync(int calls = int.MaxValue)
    {
        for (; calls > 0; calls--)
        {
            Task quiet;
            lock (_lock)
                quiet = _running == 0 ? Task.CompletedTask : _quiet.Task;
            await quiet.WaitAsync(TimeSpan.FromSeconds(30), TimeProvider.System);
            (Actor Actor, TaskCompletionSource Go) next;
            lock (_lock)
            {
                if (_waiting.Count == 0)
                    return;
                // Some stages let an actor go on for a while, so that another is overtaken by all that it does.
                var index = _waiting.FindIndex(w => w.Actor == _latest);
                if (index < 0 || _random.Next(10) >= _persistence)
                    index = _random.Next(_waiting.Count);
                next = _waiting[index];
                _latest = next.Actor;
                _waiting.RemoveAt(index);
                Start();
                var fate = _random.Next(200);
                next.Actor.DiesBefore |= fate < DeathsPerHundred;
                next.Actor.DiesAfter = fate >= 200 - DeathsPerHundred;
            }
            next.Go.SetResult();
        }
    }

    public ValueTask PingAsync(CancellationToken cancellation = default) => inner.PingAsync(cancellation);

    ValueTask<Entity?> ITables.GetAsync(string table, string partitionKey, string rowKey, CancellationToken cancellation) =>
        TurnAsync(() => inner.Tables.GetAsync(table, partitionKey, rowKey, cancellation));

    ValueTask<IReadOnlyList<Entity>> ITables.QueryAsync(
        string table, string partitionKey, RowRange range, int take, bool keysOnly, CancellationToken cancellation) =>
        TurnAsync(() => inner.Tables.QueryAsync(table, partitionKey, range, take, keysOnly, cancellation));

    ValueTask<CommitResult> ITables.CommitAsync(Commit commit, CancellationToken cancellation) => TurnAsync(async () =>
    {
        var result = await inner.Tables.CommitAsync(commit, cancellation);
        if (result.Applied)
            Committed(commit);
        return result;
    });

    async ValueTask IBodies.PutAsync(string name, ReadOnlyMemory<byte> content, CancellationToken cancellation) =>
        await TurnAsync(async () =>
        {
            await inner.Bodies.PutAsync(name, content, cancellation);
            return true;
        });

    ValueTask<byte[]?> IBodies.GetAsync(string name, CancellationToken cancellation) =>
        TurnAsync(() => inner.Bodies.GetAsync(name, cancellation));

    async ValueTask IBodies.DeleteAsync(string name, CancellationToken cancellation) => await TurnAsync(async () =>
    {
        await inner.Bodies.DeleteAsync(name, cancellation);
        return true;
    });

    private async ValueTask<T> TurnAsync<T>(Func<ValueTask<T>> call)
    {
        if (_actor.Value is not { } actor)
            return await call();
        var go = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        lock (_lock)
            _waiting.Add((actor, go));
        Rest();
        await go.Task;
        if (actor.DiesBefore)
            throw new ActorDiedException();
        var result = await call();
        if (!actor.DiesAfter)
            return result;
        actor.DiesBefore = true;
        throw new ActorDiedException();
    }

    private void Start()
    {
        lock (_lock)
        {
            if (_running++ == 0)
                _quiet = new TaskCompletionSource();
        }
    }

    private void Rest()
    {
        lock (_lock)
        {
            if (--_running == 0)
                _quiet.TrySetResult();
        }
    }

    private sealed class Actor
    {
        public bool DiesBefore { get; set; }

        public bool DiesAfter { get; set; }
    }

    private sealed class ActorDiedException : Exception;
}
