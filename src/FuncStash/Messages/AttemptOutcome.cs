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
        /// <summary>The most that is kept of a response, in bytes: of its body, and of its headers as they are stored.</summary>
        public const int MaxBodyBytes = 256 * 1024, MaxHeaderBytes = 32 * 1024;

        public override int Status => StatusCode;

        /// <summary>True when the body here is the first part of what came.</summary>
        public bool IsBodyCut { get; init; }

        /// <summary>True when headers that came are not here.</summary>
        public bool IsHeaderCut { get; init; }

        /// <summary>The response as far as it is kept.</summary>
        /// <param name="bodyBytes">The most that is kept of the body, in bytes.</param>
        /// <param name="headerBytes">The same of the headers.</param>
        public Response Kept(int bodyBytes = MaxBodyBytes, int headerBytes = MaxHeaderBytes)
        {
            var header = MessageJson.Fit(Header, headerBytes);
            return this with
            {
                Header = header,
                IsHeaderCut = IsHeaderCut || header.Count < Header.Count,
                Body = Body.Length > bodyBytes ? Body[..bodyBytes] : Body,
                IsBodyCut = IsBodyCut || Body.Length > bodyBytes,
            };
        }

        /// <summary>2xx and nothing else is a success: redirects are not followed.</summary>
        public bool IsSuccess => StatusCode is >= 200 and <= 299;
    }

    /// <summary>No answer came: no connection, a time-out, a broken response, a refused address.</summary>
    /// <param name="Error">Why.</param>
    public sealed record NoResponse(string Error) : AttemptOutcome
    {
        public override int Status => 0;
    }
}
