using FuncStash.AspNetCore;

namespace Microsoft.AspNetCore.Builder;

/// <summary>Endpoints that only the service can call.</summary>
public static class QStashSignatureEndpoints
{
    /// <summary>
    /// Lets only requests through that QStash, or a FuncStash, has signed for this URL and this body. Others are answered 401, too
    /// long bodies 413, with <c>{"error": "…"}</c>, which says what is wrong.
    /// </summary>
    /// <remarks>
    /// It stands before the endpoint, so that what is not signed is neither parsed nor bound; the endpoint reads the body as if
    /// nobody had. For single endpoints, groups, and controllers mapped as a whole.
    /// </remarks>
    /// <typeparam name="TBuilder">What was mapped.</typeparam>
    /// <param name="builder">The endpoint or endpoints.</param>
    /// <param name="configure">Changes the options for them; may be null.</param>
    /// <returns>The same.</returns>
    public static TBuilder RequireQStashSignature<TBuilder>(this TBuilder builder, Action<QStashSignatureOptions>? configure = null)
        where TBuilder : IEndpointConventionBuilder
    {
        ArgumentNullException.ThrowIfNull(builder);
        // A filter would come after the binding of parameters, which reads the body.
        builder.Finally(endpoint =>
        {
            if (endpoint.RequestDelegate is not { } next)
                throw new InvalidOperationException($"The endpoint {endpoint.DisplayName} has nothing to run.");
            endpoint.RequestDelegate = async context =>
            {
                if (await SignatureCheck.PassesAsync(context, configure))
                    await next(context);
            };
        });
        return builder;
    }
}
