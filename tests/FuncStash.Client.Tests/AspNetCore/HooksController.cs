using System.Collections.Concurrent;
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
        ((ConcurrentQueue<string>)services.GetService(typeof(ConcurrentQueue<string>))!).Enqueue(order.Name);
        return Ok();
    }

    [HttpPost("open")]
    public IActionResult Open() => Ok();
}

/// <summary>An order of a shop.</summary>
public sealed record ShopOrder(int Id, string Name);
