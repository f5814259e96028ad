namespace FuncStash.Testing;

/// <summary>An error the SDK threw.</summary>
/// <param name="name">The JavaScript error's name, such as <c>QstashError</c>.</param>
/// <param name="status">The HTTP status, where the SDK tells it.</param>
public sealed class SdkException(string name, string message, int? status) : Exception($"{name}: {message}")
{
    public string Name => name;

    /// <summary>What the SDK made the message of: the raw body of the server's answer.</summary>
    public string Body => message;

    public int? Status => status;
}
