using FuncStash.Admission;

namespace FuncStash.Delivery;

/// <summary>Why a message is not being attempted at this moment (protocol#why-it-waits).</summary>
public abstract record WaitReason
{
    private WaitReason()
    {
    }

    /// <summary>It has ended: nothing more happens to it.</summary>
    public sealed record Ended : WaitReason;

    /// <summary>It does not wait: its request is on its way.</summary>
    /// <param name="Since">Unix milliseconds; null until it has taken so long that it was written down.</param>
    public sealed record InFlight(long? Since) : WaitReason;

    /// <summary>It is delayed.</summary>
    /// <param name="Until">Unix milliseconds.</param>
    public sealed record Delayed(long Until) : WaitReason;

    /// <summary>Its last attempt failed; the next one follows.</summary>
    /// <param name="Until">Unix milliseconds.</param>
    /// <param name="Number">The number of the retry that follows, from 1.</param>
    /// <param name="MaxRetries">How many there may be.</param>
    public sealed record Retry(long Until, int Number, int MaxRetries) : WaitReason;

    /// <summary>It stands in line at a queue or a flow-control key.</summary>
    /// <param name="Kind">At which of them.</param>
    /// <param name="Name">The name of the queue, or the key.</param>
    /// <param name="Gate">What is in and what may be.</param>
    /// <param name="Ahead">How many stand before it; <see cref="WaitReader.MostAhead"/> also for more.</param>
    public sealed record InLine(GateKind Kind, string Name, GateState Gate, int Ahead) : WaitReason;

    /// <summary>Its destination has as many attempts of this process in flight as it may have now.</summary>
    /// <param name="Places">How many that is.</param>
    /// <param name="MostPlaces">How many it is where a destination answers.</param>
    public sealed record Destination(int Places, int MostPlaces) : WaitReason;

    /// <summary>It is due, and a worker takes it up.</summary>
    public sealed record Due : WaitReason;
}
