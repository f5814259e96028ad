using System.Diagnostics;
using System.Diagnostics.CodeAnalysis;
using Microsoft.AspNetCore.Http.Features;

namespace FuncStash.Server.Connections;

/// <summary>Kestrel's diagnostic source: hears of each request that Kestrel refuses, before Kestrel answers it, and of nothing else.</summary>
internal sealed class RefusedRequests : DiagnosticSource
{
    // ASP.NET Core's documented event; its value is the features of the request.
    private const string BadRequest = "Microsoft.AspNetCore.Server.Kestrel.BadRequest";

    public override bool IsEnabled(string name) => name == BadRequest;

    [UnconditionalSuppressMessage("Trimming", "IL2046", Justification = "Reads an interface, no members by name.")]
    public override void Write(string name, object? value)
    {
        if (name == BadRequest && value is IFeatureCollection request)
            request.Get<ClientConnection>()?.OnRefused(request);
    }
}
