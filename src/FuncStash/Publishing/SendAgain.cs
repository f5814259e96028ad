using FuncStash.Headers;
using FuncStash.Messages;
using FuncStash.Wire;

namespace FuncStash.Publishing;

/// <summary>Publishes a message once more, as a new one: with what it was published with, but for when, and not against a duplicate.</summary>
public sealed class SendAgain(MessageStore messages, Publisher publisher)
{
    /// <param name="stored">The message.</param>
    /// <param name="callerIp">The address of who asks for it.</param>
    /// <param name="once">What asks, as in <see cref="PublishRequest.Once"/>; null for what may not twice.</param>
    /// <param name="cancellation">Stops the work.</param>
    /// <exception cref="QStashException">400 for a part of a workflow run, 404 when its payload is gone, and what a publish is refused for.</exception>
    public async ValueTask<Published> SendAsync(StoredMessage stored, string callerIp, string? once = null, CancellationToken cancellation = default)
    {
        var message = stored.Message;
        var request = new PublishRequest(
            DestinationOf(message), PublishSettingsWriter.SettingsOf(message), await BodyAsync(message, cancellation))
        {
            CallerIp = callerIp, Once = once,
        };
        return (await publisher.PublishAsync(request, cancellation)).Messages[0];
    }

    /// <summary>The destination that brings another message to where this one goes.</summary>
    /// <exception cref="QStashException">400 for a part of a workflow run.</exception>
    public static string DestinationOf(Message message) => message.Run is null
        ? message.Api ?? message.Url
        : throw QStashException.BadRequest("It is a part of a workflow run: resume or restart the run.");

    /// <exception cref="QStashException">404 when its payload is gone.</exception>
    public async ValueTask<byte[]> BodyAsync(Message message, CancellationToken cancellation)
    {
        try
        {
            return await messages.BodyAsync(message, cancellation);
        }
        catch (InvalidDataException)
        {
            throw QStashException.NotFound("The payload of this message is gone.");
        }
    }
}
