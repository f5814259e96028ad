using FuncStash.Console.Tests.Browsers;

[assembly: AssemblyFixture(typeof(SqliteHost))]
[assembly: AssemblyFixture(typeof(FunctionsHost))]
[assembly: AssemblyFixture(typeof(Chromium))]

namespace FuncStash.Console.Tests;

/// <summary>Tests that keep the machine busy; they run after the others.</summary>
[CollectionDefinition(Name, DisableParallelization = true)]
public sealed class Alone
{
    public const string Name = "alone";
}
