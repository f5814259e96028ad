using System.Security.Cryptography;
using System.Text;
using FuncStash.Deduplication;
using FuncStash.Messages;
using FuncStash.Publishing;

namespace FuncStash.Console.Serving;

/// <summary>
/// Makes the same form send once, however often it comes: by a double click, a reload, a way back. What is changed in it is
/// another one. It is remembered as long as a deduplication id, and never meets one of a user.
/// </summary>
internal sealed class OneTime(Deduplicator deduplicator, MessageStore messages)
{
    /// <summary>The field that tells one form from another.</summary>
    public const string Field = "once";

    // Whoever sent it first has so long to store what it makes.
    private const int Looks = 50;
    private static readonly TimeSpan s_pause = TimeSpan.FromMilliseconds(20);

    public static string New() => Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(16));

    /// <summary>What stands for a form as it was sent; null for one without the field, such as a script's.</summary>
    public static string? KeyOf(ConsoleCall call)
    {
        if (call.Field(Field) is null)
            return null;
        var text = new StringBuilder(call.Call.Target.Path);
        foreach (var (name, values) in call.Form.OrderBy(field => field.Key, StringComparer.Ordinal))
        {
            foreach (var value in values)
                text.Append('\0').Append(name).Append('\0').Append(value);
        }
        return Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text.ToString())));
    }

    /// <summary>Answers with what is done, or with where it was done before.</summary>
    /// <param name="call">The form.</param>
    /// <param name="act">Does it; what it publishes asks <see cref="PublishRequest.BeforeStoring"/> first.</param>
    /// <param name="again">The answer when the form has come before, by the first message that it made.</param>
    public async Task<PageResult> DoAsync(
        ConsoleCall call, Func<Func<IReadOnlyList<MessageId>, CancellationToken, ValueTask>?, Task<PageResult>> act, Func<MessageId, PageResult> again)
    {
        try
        {
            // An explicit deduplication id has no colon.
            return await act(KeyOf(call) is { } key ? (ids, stop) => ReserveAsync("form:" + key, ids, stop) : null);
        }
        catch (DoneBeforeException before)
        {
            return again(before.First);
        }
    }

    private async ValueTask ReserveAsync(string key, IReadOnlyList<MessageId> ids, CancellationToken stop)
    {
        if (ids.Count == 0)
            return;
        for (var look = 0; await deduplicator.ReserveAsync(key, ids[0], stop) is { } reserved; look++)
        {
            if (await messages.LookAsync(reserved.Message, stop) is not null)
                throw new DoneBeforeException(reserved.Message);
            // It was refused after all, was a duplicate itself, or its server died.
            if (look >= Looks && await deduplicator.TakeOverAsync(key, ids[0], reserved, stop))
                return;
            await Task.Delay(s_pause, TimeProvider.System, stop);
        }
    }

    private sealed class DoneBeforeException(MessageId first) : Exception
    {
        public MessageId First => first;
    }
}
