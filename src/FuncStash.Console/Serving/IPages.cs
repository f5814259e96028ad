using System.Diagnostics.CodeAnalysis;
using FuncStash.Access;
using FuncStash.Console.Access;
using FuncStash.Http;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Primitives;

namespace FuncStash.Console.Serving;

/// <summary>Pages that belong together, and what can be done on them.</summary>
public interface IPages
{
    IEnumerable<PageRoute> Routes { get; }
}

/// <summary>A page of the console, or an action.</summary>
/// <param name="Method">GET for what reads, POST for what changes.</param>
/// <param name="Pattern">The path below <c>/console</c>, as in <see cref="Route"/>.</param>
/// <param name="Access">What the session must allow.</param>
/// <param name="Handle">Says what to answer.</param>
public sealed record PageRoute(string Method, string Pattern, AccessLevel Access, Func<ConsoleCall, Task<PageResult>> Handle);

/// <summary>A request to the console by somebody who may make it.</summary>
/// <param name="Call">The request.</param>
/// <param name="Session">Who makes it.</param>
/// <param name="Form">The fields that were sent; none for a GET.</param>
public sealed record ConsoleCall(ApiCall Call, Session Session, IReadOnlyDictionary<string, StringValues> Form)
{
    public HttpRequest Request => Call.Request;

    public CancellationToken Aborted => Call.Aborted;

    /// <summary>The route's parameters, decoded.</summary>
    public IReadOnlyList<string> Values => Call.Values;

    /// <summary>A query parameter; null when it is missing or empty.</summary>
    public string? Query(string name) => Call.Target[name] is { Length: > 0 } value ? value : null;

    /// <summary>A field of the form; null when it is missing or empty.</summary>
    public string? Field(string name) => Form.TryGetValue(name, out var values) && values.Count > 0 && values[^1] is { Length: > 0 } value ? value : null;

    /// <summary>All values of a field that was sent several times.</summary>
    public IEnumerable<string> Fields(string name) =>
        Form.TryGetValue(name, out var values) ? values.OfType<string>().Where(value => value.Length > 0) : [];
}

/// <summary>What the console answers.</summary>
public abstract record PageResult
{
    /// <summary>What a compiler that leaves out what nobody calls must leave of a component.</summary>
    internal const DynamicallyAccessedMemberTypes Members = DynamicallyAccessedMemberTypes.All;

    private PageResult()
    {
    }

    /// <summary>A page.</summary>
    /// <param name="Title">Its title.</param>
    /// <param name="Component">The component that renders it.</param>
    /// <param name="Model">The component's parameter <c>Model</c>.</param>
    public sealed record View(string Title, [param: DynamicallyAccessedMembers(Members)][property: DynamicallyAccessedMembers(Members)] Type Component, object Model) : PageResult
    {
        public int Status { get; init; } = 200;
    }

    /// <summary>A page that grows while something is done, and ends with it.</summary>
    /// <param name="Page">The page; its component says with <see cref="PageWriter.Place"/> where.</param>
    /// <param name="Step">The component that renders each step, as its parameter <c>Model</c>.</param>
    /// <param name="Steps">Does it.</param>
    public sealed record Running(View Page, [param: DynamicallyAccessedMembers(Members)][property: DynamicallyAccessedMembers(Members)] Type Step, IAsyncEnumerable<object> Steps) : PageResult;

    /// <summary>After a change: see there.</summary>
    /// <param name="Path">The path and query below <c>/console/</c>; empty for the overview.</param>
    public sealed record Redirect(string Path) : PageResult
    {
        public IEnumerable<string> Cookies { get; init; } = [];
    }

    /// <summary>Bytes as they are, to look at or to keep.</summary>
    public sealed record Raw(string ContentType, byte[] Bytes) : PageResult
    {
        /// <summary>The name under which the browser keeps it; null where it shows it.</summary>
        public string? FileName { get; init; }
    }

    /// <summary>A file that is sent while it is made.</summary>
    /// <param name="Lines">Its parts, each sent as it comes.</param>
    public sealed record Stream(string ContentType, string FileName, IAsyncEnumerable<byte[]> Lines) : PageResult;

    /// <summary>A file that never changes under its name.</summary>
    public sealed record Asset(string ContentType, byte[] Bytes) : PageResult;
}
