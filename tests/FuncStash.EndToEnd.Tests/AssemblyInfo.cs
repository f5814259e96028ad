
[assembly: AssemblyFixture(typeof(SqliteHost))]
[assembly: AssemblyFixture(typeof(AzuriteHost))]
[assembly: AssemblyFixture(typeof(FunctionsHost))]
[assembly: AssemblyFixture(typeof(NodeSdk))]

namespace FuncStash.EndToEnd.Tests;

/// <summary>Tests whose outcome depends on having the machine to themselves; they run after the others.</summary>
[CollectionDefinition(Name, DisableParallelization = true)]
public sealed class Alone
{
    public const string Name = "alone";
}
