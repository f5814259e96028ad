using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Mvc.Filters;

namespace FuncStash.AspNetCore;

/// <summary>
/// For controllers and their actions, what <c>RequireQStashSignature()</c> is for other endpoints; with the options that hold for
/// all.
/// </summary>
[AttributeUsage(AttributeTargets.Class | AttributeTargets.Method)]
public sealed class RequireQStashSignatureAttribute : Attribute, IAsyncResourceFilter
{
    /// <summary>Runs before the binding of parameters.</summary>
    /// <param name="context">The request.</param>
    /// <param name="next">The rest of the way.</param>
    /// <returns>A task that ends with the request.</returns>
    public async Task OnResourceExecutionAsync(ResourceExecutingContext context, ResourceExecutionDelegate next)
    {
        ArgumentNullException.ThrowIfNull(context);
        ArgumentNullException.ThrowIfNull(next);
        if (await SignatureCheck.PassesAsync(context.HttpContext, configure: null))
            await next();
        else
            context.Result = new EmptyResult();
    }
}
