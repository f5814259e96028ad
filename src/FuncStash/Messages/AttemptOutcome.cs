using FuncStash.Wire;

namespace FuncStash.Messages;

/// <summary>What one attempt brought.</summary>
public abstract record AttemptOutcome
{
    private AttemptOutcome()
    {
    }

    /// <summary>The status; 0 when there was no response (protocol#attempts).</summary>
    public abstract int Status { get; }

    /// <summary>The destination answered.</summary>
    /// <param name="StatusCode">The HTTP status.</param>
    /// <param name="Header">The response's headers.</param>
    /// <param name="Body">The response's body, up to the service's limit.</param>
    public sealed record Response(int StatusCode, HeaderMap Header, byte[] Body) : AttemptOutcome
    {
        public override int Status => StatusCode;

        /// <summary>2xx and nothing else is a success: redirects are not followed.</summary>
        public bool IsSuccess => StatusCode is >= 200 and <= 299;
    }

    /// <summary>No answer came: no connection, a time-out, a broken response, a refused address.</summary>
    public sealed record NoResponse(string Error) : AttemptOutcome
    {
        public override int Status => 0;
    }
}
