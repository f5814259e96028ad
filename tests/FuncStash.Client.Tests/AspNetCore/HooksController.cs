using FuncStash.AspNetCore;
using Microsoft.AspNetCore.Mvc;

namespace FuncStash.Client.Tests.AspNetCore;

/// <summary>A controller one of whose actions only the service can call.</summary>
[ApiController]
[Route("controller")]
public sealed class HooksController : ControllerBase
{
    [HttpPost("order")]
    [RequireQStashSignature]
    public IActionResult Take([FromBody] ShopOrder order, [FromServices] IServiceProvider services)
    {
        ((Signal<string>)services.GetService(typeof(Signal<string>))!).Add(order.Name);
        return Ok();
    }

    [HttpPost("open")]
    public IActionResult Open() => Ok();
}

/// <summary>An order of a shop.</summary>
public sealed record ShopOrder(int Id, string Name);
