using FuncStash.Http;
using FuncStash.Tests.Running;

namespace FuncStash.Tests.Contract;

/// <summary>
/// coverage.tsv names a test for every endpoint, parameter and header of the protocol: the item, a text that shows it in
/// the test's source, the test. What has none, and what is not true any more, fails.
/// </summary>
public sealed class CoverageTests(ITestOutputHelper output)
{
    [Fact]
    public async Task Everything_in_the_contract_has_a_test()
    {
        await using var service = new TestService();
        var rows = await ReadAsync();
        var tests = TestSources.Read();
        var wrong = new List<string>();
        foreach (var item in ContractItems.All(service.All<IResource>()))
        {
            if (!rows.ContainsKey(item))
                wrong.Add($"no test is named for: {item}");
        }
        foreach (var item in rows.Keys.Except(ContractItems.All(service.All<IResource>())))
            wrong.Add($"not in the contract any more: {item}");
        foreach (var (item, (evidence, test)) in rows)
        {
            output.WriteLine($"{item,-58} {test}");
            if (!tests.TryGetValue(test, out var source))
                wrong.Add($"{item}: there is no test {test}");
            else if (!source.Contains(evidence, StringComparison.OrdinalIgnoreCase))
                wrong.Add($"{item}: {test} does not contain {evidence}");
        }
        Assert.True(wrong.Count == 0, string.Join('\n', wrong));
    }

    private static async Task<Dictionary<string, (string Evidence, string Test)>> ReadAsync()
    {
        var path = Path.Combine(TestSources.Root(), "tests", "FuncStash.Tests", "Contract", "coverage.tsv");
        return (await File.ReadAllLinesAsync(path)).Where(line => line.Length > 0 && line[0] != '#')
            .Select(line => line.Split('\t')).ToDictionary(parts => parts[0], parts => (parts[1], parts[2]));
    }
}
