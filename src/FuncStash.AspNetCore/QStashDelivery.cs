using System.Globalization;
using System.Reflection;
using FuncStash.Client;
using Microsoft.AspNetCore.Http;

namespace FuncStash.AspNetCore;

/// <summary>What the service tells about a delivery besides its body. As a parameter of an endpoint it binds itself.</summary>
public sealed record QStashDelivery : IBindableFromHttpContext<QStashDelivery>
{
    /// <summary>The message's id, the same in each attempt: by it an app knows what it has done already.</summary>
    public required string MessageId { get; init; }

    /// <summary>How many attempts went before this one: 0 for the first.</summary>
    public int Retried { get; init; }

    /// <summary>The schedule that made the message; null when none did.</summary>
    public string? ScheduleId { get; init; }

    /// <summary>The URL group it was published to; null when it was none.</summary>
    public string? UrlGroup { get; init; }

    /// <summary>The IP address it was published from.</summary>
    public string? CallerIp { get; init; }

    /// <summary>What the signature says; null when the endpoint does not require one, and then nothing here is to be believed.</summary>
    public SignatureClaims? Signature { get; init; }

    /// <summary>What the headers of a request tell.</summary>
    /// <param name="context">The request.</param>
    /// <returns>The delivery; null when the request is none.</returns>
    public static QStashDelivery? Of(HttpContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        var headers = context.Request.Headers;
        if (headers["Upstash-Message-Id"].ToString() is not { Length: > 0 } id)
            return null;
        return new QStashDelivery
        {
            MessageId = id,
            Retried = int.TryParse(headers["Upstash-Retried"], NumberStyles.None, CultureInfo.InvariantCulture, out var retried) ? retried : 0,
            ScheduleId = (string?)headers["Upstash-Schedule-Id"],
            UrlGroup = (string?)headers["Upstash-Topic-Name"],
            CallerIp = (string?)headers["Upstash-Caller-Ip"],
            Signature = context.Features.Get<SignatureClaims>(),
        };
    }

    /// <summary>Binds a parameter of an endpoint.</summary>
    /// <param name="context">The request.</param>
    /// <param name="parameter">The parameter.</param>
    /// <returns>The delivery; null, which is answered 400 unless the parameter may be null, when the request is none.</returns>
    public static ValueTask<QStashDelivery?> BindAsync(HttpContext context, ParameterInfo parameter) => new(Of(context));
}
