namespace FuncStash.Storage;

/// <summary>A queue that lies in several of the storage, since each takes only so many messages a second: <c>NAME</c>, <c>NAME-2</c> and so on.</summary>
/// <param name="queue">The queue's name, and that of the first it lies in.</param>
/// <param name="count">In how many it lies, 1 to <see cref="Most"/>.</param>
public sealed class QueueSpread(string queue, int count)
{
    /// <summary>In so many queues one may lie.</summary>
    public const int Most = 8;

    /// <summary>The queue's name.</summary>
    public string Queue { get; } = queue;

    /// <summary>The queues in which it lies, the first of them first.</summary>
    public IReadOnlyList<string> Names { get; } = [.. Enumerable.Range(1, count).Select(number => NameOf(queue, number))];

    /// <summary>The queues in which it may have lain when it was spread further.</summary>
    public IReadOnlyList<string> Beyond { get; } = [.. Enumerable.Range(count + 1, Most - count).Select(number => NameOf(queue, number))];

    /// <summary>The name of one of the queues in which a queue may lie, counted from 1.</summary>
    public static string NameOf(string queue, int number) => number == 1 ? queue : $"{queue}-{number}";
}
