using FuncStash.Access;

namespace FuncStash.Console.Access;

/// <summary>What the person at the browser may do.</summary>
/// <param name="Level">What the token allows that they signed in with.</param>
/// <param name="IsOpen">True where nobody needs to sign in: everybody knows the token of a development server.</param>
public sealed record Session(AccessLevel Level, bool IsOpen)
{
    public static readonly Session None = new(AccessLevel.None, false);

    public bool MayLook => Level >= AccessLevel.Read;

    public bool MayAct => Level >= AccessLevel.Full;
}
