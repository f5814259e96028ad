using System.Text;
using FuncStash.Http;
using FuncStash.Settings;
using FuncStash.Wire;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace FuncStash.Tests.Workflows;

// The endpoint of the workflows, and what it submits.
internal sealed partial class FlowPlay
{
    private async Task AnswerAsync(HttpContext context)
    {
        using var reader = new StreamReader(context.Request.Body);
        var body = await reader.ReadToEndAsync();
        string? Header(string name) => context.Request.Headers.TryGetValue(name, out var value) ? value.ToString() : null;
        if (context.Request.Path == "/call")
        {
            await context.Response.WriteAsync(body);
            return;
        }
        context.Response.Headers["Upstash-Workflow-Sdk-Version"] = "1";
        try
        {
            var call = _endpoint.Take(Header("Upstash-Workflow-RunId")!, Header("Upstash-Message-Id")!, body, Header);
            var status = call is null ? 200 : await SubmitAsync(_processes.Find(p => p.Name == Header("Upstash-Region"))!, call);
            context.Response.StatusCode = status is < 300 or 400 ? 200 : 500;
        }
        catch (InvalidOperationException)
        {
            context.Response.StatusCode = 500;
        }
        catch (Exception wrong)
        {
            _wrong ??= wrong;
            context.Response.StatusCode = 500;
        }
    }

    // What the endpoint asks for in a delivery is taken in by the process that delivers, and dies with it.
    private async Task<int> SubmitAsync(Process process, FlowCall call)
    {
        _stage.Become(process.Actor);
        using var again = new Unsubmitted(_late, call);
        var status = await CallAsync(process, call);
        again.IsDone = status is < 300 or 400;
        return status;
    }

    private async Task<int> CallAsync(Process process, FlowCall call)
    {
        var context = new DefaultHttpContext();
        var feature = context.Features.GetRequiredFeature<IHttpRequestFeature>();
        (feature.Method, feature.Scheme, feature.RawTarget, feature.Path) = (call.Method, "http", call.Target, call.Target.Split('?')[0]);
        context.Request.Headers.Authorization = "Bearer " + DevServer.Token;
        foreach (var (name, value) in call.Headers)
            context.Request.Headers.Append(name, HeaderValue.OfBytes(Encoding.UTF8.GetBytes(value)));
        var bytes = Encoding.UTF8.GetBytes(call.Body);
        context.Request.Body = new MemoryStream(bytes);
        context.Request.ContentLength = bytes.Length;
        context.Response.Body = new MemoryStream();
        await process.Get<Api>().HandleAsync(context);
        // Only a death explains that.
        process.IsDead |= context.Response.StatusCode >= 500;
        if (process.IsDead && _stage.DeathsPerHundred == 0)
            _wrong ??= new InvalidOperationException($"{call.Method} {call.Target} is answered with {context.Response.StatusCode}");
        return context.Response.StatusCode;
    }
}
