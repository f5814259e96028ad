namespace FuncStash.Destinations;

/// <summary>The connection ended before any byte of an answer came.</summary>
internal sealed class BrokenConnectionException(string message, Exception? cause) : IOException(message, cause);
