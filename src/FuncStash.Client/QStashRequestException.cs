namespace FuncStash.Client;

/// <summary>A call failed: the service refused it, or no usable answer came.</summary>
/// <remarks>The one exception for all failures of calls; wrong arguments are <see cref="ArgumentException"/>s before any call.</remarks>
public sealed class QStashRequestException : Exception
{
    /// <summary>Makes one as the client does, for stand-ins in tests.</summary>
    /// <param name="message">What happened, for people.</param>
    /// <param name="status">The HTTP status of the answer; null when there was none.</param>
    /// <param name="error">The service's own text; null when it gave none.</param>
    /// <param name="retryAfter">How long the service asks to wait; null when it does not say.</param>
    /// <param name="inner">The cause.</param>
    public QStashRequestException(
        string message, int? status = null, string? error = null, TimeSpan? retryAfter = null, Exception? inner = null)
        : base(message, inner)
    {
        Status = status;
        Error = error;
        RetryAfter = retryAfter;
    }

    /// <summary>The HTTP status of the answer; null when no answer came: the network failed, or the time was up.</summary>
    public int? Status { get; }

    /// <summary>The service's own text: the <c>error</c> of its answer, or the answer's beginning where it is not JSON.</summary>
    public string? Error { get; }

    /// <summary>How long the service asks to wait before the next call, where it says so.</summary>
    public TimeSpan? RetryAfter { get; }

    /// <summary>False where waiting a moment cannot help, such as a used-up daily quota or a malformed answer.</summary>
    internal bool IsTransient { get; init; }
}
