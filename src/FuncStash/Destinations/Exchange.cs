namespace FuncStash.Destinations;

/// <summary>One request and its answer, as the connection that carries them sees them.</summary>
/// <remarks>
/// It comes to the connection with the flow of the call: which of its connections a request takes, the client does not tell.
/// </remarks>
internal sealed class Exchange(TimeProvider time, TimeSpan limit) : IDisposable
{
    private static readonly AsyncLocal<Exchange?> s_current = new();

    // A close that was on its way when the request went out is there within a round trip. What comes later may be the
    // destination's answer to it.
    private static readonly TimeSpan s_trip = TimeSpan.FromMilliseconds(500);

    private readonly long _begun = time.GetTimestamp();
    private long _sent;
    private ExchangeStream? _connection;

    /// <summary>The one that this flow of calls is about; null for none.</summary>
    public static Exchange? Current => s_current.Value;

    /// <summary>What is left of the time that it may take.</summary>
    public TimeSpan Left => limit - time.GetElapsedTime(_begun);

    /// <summary>True once it has a connection to send on.</summary>
    public bool HasBegun => _connection is not null;

    /// <summary>True when its connection had been used, or kept for use, before: the other side may have closed it meanwhile.</summary>
    public bool IsOnKeptConnection { get; private set; }

    /// <summary>True when its connection was a kept one, and so little time has passed since that what it says was said before.</summary>
    public bool MayCross => IsOnKeptConnection && time.GetElapsedTime(_sent) < s_trip;

    /// <summary>True from the first byte of an answer on.</summary>
    public bool IsAnswered { get; private set; }

    /// <summary>True when the connection broke before any byte of an answer.</summary>
    public bool IsBroken { get; private set; }

    /// <summary>Makes this the one that the calls made from here on are about.</summary>
    public void Enter() => s_current.Value = this;

    public void BeginOn(ExchangeStream connection, bool isKept) =>
        (_connection, _sent, IsOnKeptConnection, IsAnswered, IsBroken) = (connection, time.GetTimestamp(), isKept, false, false);

    public void NoteAnswer() => IsAnswered = true;

    public void NoteBreak() => IsBroken = true;

    public void Dispose() => _connection?.Leave(this);
}
