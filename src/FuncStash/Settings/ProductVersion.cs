using System.Reflection;

namespace FuncStash.Settings;

/// <summary>Which FuncStash this is.</summary>
public static class ProductVersion
{
    /// <summary>The version as its tag has it (<c>v</c> apart), such as <c>1.2.3</c>; of what is between two releases, <c>1.2.4-dev.5</c>.</summary>
    public static string Text { get; } =
        // What follows a plus sign is the commit, which is for whoever has the program, not for everybody.
        (typeof(ProductVersion).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion ?? "0.0.0").Split('+')[0];
}
