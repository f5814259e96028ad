namespace FuncStash.Wire;

/// <summary>A refusal that the caller is told about: the status and the <c>error</c> text of the answer (protocol#errors).</summary>
public sealed class QStashException(int status, string message) : Exception(ShortText.Of(message, MaxLength))
{
    /// <summary>The most characters of the text, which may quote what somebody sent.</summary>
    public const int MaxLength = 1_000;

    public int Status { get; } = status;

    public static QStashException BadRequest(string message) => new(400, message);

    public static QStashException NotFound(string message) => new(404, message);
}
