using System.Diagnostics.CodeAnalysis;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace FuncStash.Client;

/// <summary>What a message carries: any bytes, delivered as they are. Texts and byte arrays convert to it by themselves.</summary>
/// <remarks>
/// The service's limit is 1 MB unless its operator set another. A body knows its <c>Content-Type</c>:
/// <c>text/plain;charset=UTF-8</c> for text, <c>application/json</c> for JSON, none for bytes; one among
/// <see cref="DeliveryOptions.Headers"/> goes before it.
/// </remarks>
public sealed class MessageBody
{
    private static readonly UTF8Encoding s_strict = new(false, throwOnInvalidBytes: true);

    private MessageBody(ReadOnlyMemory<byte> bytes, string? contentType) => (Bytes, ContentType) = (bytes, contentType);

    /// <summary>The bytes.</summary>
    public ReadOnlyMemory<byte> Bytes { get; }

    /// <summary>The <c>Content-Type</c> the destination is told; null when nothing is known.</summary>
    public string? ContentType { get; }

    /// <summary>A text, as UTF-8.</summary>
    /// <param name="text">The text.</param>
    /// <returns>The body.</returns>
    public static MessageBody FromString(string text) => new(Encoding.UTF8.GetBytes(text), "text/plain;charset=UTF-8");

    /// <summary>Bytes, which need not be text.</summary>
    /// <param name="bytes">The bytes; they are not copied.</param>
    /// <returns>The body.</returns>
    public static MessageBody FromBytes(ReadOnlyMemory<byte> bytes) => new(bytes, null);

    /// <summary>A value as JSON, by serialization code that exists at compile time.</summary>
    /// <typeparam name="T">The value's type.</typeparam>
    /// <param name="value">The value; null becomes the JSON <c>null</c>.</param>
    /// <param name="type">From a <c>JsonSerializerContext</c> of the program.</param>
    /// <returns>The body.</returns>
    public static MessageBody FromJson<T>(T value, JsonTypeInfo<T> type) =>
        new(JsonSerializer.SerializeToUtf8Bytes(value, type), "application/json");

    /// <summary>A value as JSON, by reflection, with the defaults of the web: names in camel case.</summary>
    /// <typeparam name="T">The value's type.</typeparam>
    /// <param name="value">The value; null becomes the JSON <c>null</c>.</param>
    /// <returns>The body.</returns>
    [RequiresUnreferencedCode("Trimming may take away members that only reflection needs; give a JsonTypeInfo instead.")]
    [RequiresDynamicCode("Reflection may need code made at run time; give a JsonTypeInfo instead.")]
    public static MessageBody FromJson<T>(T value) =>
        new(JsonSerializer.SerializeToUtf8Bytes(value, JsonSerializerOptions.Web), "application/json");

    /// <summary>All that a stream holds from where it stands. It is read into memory, so that it can be sent again.</summary>
    /// <param name="stream">The stream; it stays open.</param>
    /// <param name="cancellationToken">Ends the reading.</param>
    /// <returns>The body.</returns>
    public static async Task<MessageBody> FromStreamAsync(Stream stream, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(stream);
        using var bytes = new MemoryStream();
        await stream.CopyToAsync(bytes, cancellationToken).ConfigureAwait(false);
        return FromBytes(bytes.ToArray());
    }

    /// <summary>A text, as <see cref="FromString"/> makes it; null stays null.</summary>
    /// <param name="text">The text.</param>
    [return: NotNullIfNotNull(nameof(text))]
    public static implicit operator MessageBody?(string? text) => text is null ? null : FromString(text);

    /// <summary>Bytes, as <see cref="FromBytes"/> makes them; null stays null.</summary>
    /// <param name="bytes">The bytes; they are not copied.</param>
    [return: NotNullIfNotNull(nameof(bytes))]
    public static implicit operator MessageBody?(byte[]? bytes) => bytes is null ? null : FromBytes(bytes);

    /// <summary>Bytes, as <see cref="FromBytes"/> makes them.</summary>
    /// <param name="bytes">The bytes; they are not copied.</param>
    public static implicit operator MessageBody(ReadOnlyMemory<byte> bytes) => FromBytes(bytes);

    /// <summary>The body as text, for where only text can go.</summary>
    /// <exception cref="ArgumentException">It is not UTF-8.</exception>
    internal string ToText(string why)
    {
        try
        {
            return s_strict.GetString(Bytes.Span);
        }
        catch (DecoderFallbackException wrong)
        {
            throw new ArgumentException($"The body is not UTF-8 text: {why}", wrong);
        }
    }
}
