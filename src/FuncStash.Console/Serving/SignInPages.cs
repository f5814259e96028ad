using FuncStash.Access;
using FuncStash.Console.Access;
using FuncStash.Http;

namespace FuncStash.Console.Serving;

/// <summary>Signing in with a token, and out.</summary>
internal sealed class SignInPages(Sessions sessions) : IPages
{
    public IEnumerable<PageRoute> Routes =>
    [
        // Where a token was refused: who loads that address anew is not to find nothing there.
        new("GET", "/sign-in", AccessLevel.None, _ => Task.FromResult<PageResult>(new PageResult.Redirect(""))),
        new("POST", "/sign-in", AccessLevel.None, SignInAsync),
        new("POST", "/sign-out", AccessLevel.None, SignOutAsync),
    ];

    /// <summary>The form that asks for a token; what was asked for follows once there is one.</summary>
    public static PageResult Form(RequestTarget target, int status, string? error) =>
        Form(target.Path.Length > "/console/".Length ? target.RawFrom("/console/".Length) : "", status, error);

    private static PageResult.View Form(string next, int status, string? error) =>
        new("Sign in", typeof(SignInPage), new SignInModel(next, error)) { Status = status };

    private Task<PageResult> SignInAsync(ConsoleCall call)
    {
        var next = call.Field("next") ?? "";
        var cookie = sessions.SignIn(call.Field("token")?.Trim() ?? "", SameOrigin.IsSecure(call.Request));
        return Task.FromResult<PageResult>(cookie is null
            ? Form(next, 401, "This is none of the service's tokens.")
            : new PageResult.Redirect(IsBelow(next) ? next : "") { Cookies = [cookie] });
    }

    private Task<PageResult> SignOutAsync(ConsoleCall call) => Task.FromResult<PageResult>(
        new PageResult.Redirect("") { Cookies = sessions.SignOut(call.Request, SameOrigin.IsSecure(call.Request)) });

    // A path below /console/ and nothing that a browser takes for another address.
    private static bool IsBelow(string next) =>
        next.Length > 0 && char.IsAsciiLetter(next[0]) && next.All(c => c is > ' ' and < '\x7f' and not '\\')
        && next.AsSpan(0, next.AsSpan().IndexOfAny('/', '?') is var end && end >= 0 ? end : next.Length).IndexOf(':') < 0
        && !next.Contains("..", StringComparison.Ordinal);
}
