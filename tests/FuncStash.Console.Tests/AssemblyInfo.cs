using FuncStash.Console.Tests.Browsers;
using FuncStash.EndToEnd.Tests.Hosts;

[assembly: AssemblyFixture(typeof(SqliteHost))]
[assembly: AssemblyFixture(typeof(FunctionsHost))]
[assembly: AssemblyFixture(typeof(Chromium))]
