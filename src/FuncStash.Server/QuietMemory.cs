using System.Runtime.InteropServices;

namespace FuncStash.Server;

/// <summary>Gives memory back to the system once a busy time is over. One a process.</summary>
/// <remarks>
/// Entered at start-up. The collector runs when something is allocated, so after a burst it leaves the heap as big as that
/// was for as long as the process is idle; and the C library keeps what SQLite and the sockets have freed.
/// </remarks>
internal sealed class QuietMemory(TimeProvider time) : BackgroundService
{
    private static readonly TimeSpan s_look = TimeSpan.FromSeconds(10);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(s_look, time);
        var state = new QuietState(Allocated, Committed);
        try
        {
            while (await timer.WaitForNextTickAsync(stoppingToken))
            {
                (state, var isTime) = state.Next(Allocated, Committed);
                if (!isTime)
                    continue;
                Release();
                state = state.Released(Allocated, Committed);
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
        }
    }

    private static long Allocated => GC.GetTotalAllocatedBytes();

    private static long Committed => GC.GetGCMemoryInfo(GCKind.Any).TotalCommittedBytes;

    private static void Release()
    {
        GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive, blocking: true, compacting: true);
        if (OperatingSystem.IsLinux() && NativeLibrary.TryLoad("libc", out var libc)
            && NativeLibrary.TryGetExport(libc, "malloc_trim", out var trim))
            Trim(trim);
    }

    private static unsafe void Trim(nint trim) => ((delegate* unmanaged<nuint, int>)trim)(0);
}

/// <summary>When a quiet process has memory to give back: a decision from two numbers, each in bytes.</summary>
/// <param name="Allocated">All that was ever allocated, at the latest look.</param>
/// <param name="Least">The least that the heap ever had of the system.</param>
internal readonly record struct QuietState(long Allocated, long Least)
{
    /// <summary>Who allocates less than this between two looks is quiet.</summary>
    public const long Quiet = 4 * 1024 * 1024;

    /// <summary>For less than this it is not worth while.</summary>
    public const long Worth = 16 * 1024 * 1024;

    private const int MaxWait = 64;

    // Looks in quiet, and how many of them there are to be. What is in use now, connections for instance, may end later.
    private int Looks { get; init; }

    private int Wait { get; init; } = 1;

    /// <summary>What was seen, and whether now is the time.</summary>
    public (QuietState After, bool IsTime) Next(long allocated, long committed)
    {
        if (allocated - Allocated >= Quiet)
            return (this with { Allocated = allocated, Looks = 0, Wait = 1 }, false);
        var after = this with { Allocated = allocated, Looks = Looks + 1 };
        return (after, after.Looks >= Wait && committed - Least > Worth);
    }

    /// <summary>After memory was given back: the next time is twice as far, unless the process has been busy before.</summary>
    public QuietState Released(long allocated, long committed) => new(allocated, Math.Min(Least, committed))
    {
        Wait = Math.Min(Wait * 2, MaxWait),
    };
}
