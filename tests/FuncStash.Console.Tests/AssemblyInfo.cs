using FuncStash.Console.Tests.Browsers;

[assembly: AssemblyFixture(typeof(SqliteHost))]
[assembly: AssemblyFixture(typeof(FunctionsHost))]
[assembly: AssemblyFixture(typeof(Chromium))]
