using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace FuncStash.Infra.Check;

/// <summary>The generated token and keys: their form, where their randomness comes from, and that they are made once.</summary>
internal static partial class Secrets
{
    private const string Alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

    public static void Check(Checks checks, Bicep bicep, string infra)
    {
        var template = bicep.Template("modules/secrets.bicep");
        var secrets = template["resources"]!.AsObject().Select(entry => entry.Value!)
            .Where(resource => (string?)resource["type"] == "Microsoft.KeyVault/vaults/secrets" && resource["existing"] is null).ToList();
        var generated = secrets.Where(secret => Value(secret).Contains("alphanumeric28", StringComparison.Ordinal)).ToList();

        checks.That("generated secrets are written only where there is none yet",
            Checks.Equal("generated secrets", 4, generated.Count).Concat(generated
                .Where(secret => secret["@options"]?["onlyIfNotExists"] is null).Select(secret => $"{secret["name"]} would be replaced")));
        checks.That("each generated secret has two seeds of its own, secure and new at every deployment", Seeds(template, generated));
        checks.That("the token is base64 of a UserID and a Password, a signing key is sig_ and the random text",
            generated.Select(Value).Where(value => !Form().IsMatch(value)));
        checks.That("random text is 28 letters and digits, one for each random byte of two GUIDs", Random(bicep, infra));
        checks.That("no output of the deployment is a secret", bicep.Template("main.bicep")["outputs"]!.AsObject()
            .Where(output => output.Value!["value"]!.ToJsonString() is var value
                && (value.Contains("newGuid", StringComparison.Ordinal) || value.Contains("llmApiKey", StringComparison.Ordinal)
                    || value.Contains("listSecrets", StringComparison.Ordinal)))
            .Select(output => output.Key));
    }

    private static string Value(JsonNode secret) => (string)secret["properties"]!["value"]!;

    private static IEnumerable<string> Seeds(JsonNode template, List<JsonNode> generated)
    {
        var used = generated.SelectMany(secret => Seed().Matches(Value(secret)).Select(match => match.Groups[1].Value)).ToList();
        return Checks.Equal("seeds", 2 * generated.Count, used.Distinct().Count())
            .Concat(Checks.Equal("uses of seeds", 2 * generated.Count, used.Count))
            .Concat(used.Where(seed => (string?)template["parameters"]![seed]!["type"] != "securestring"
                || (string?)template["parameters"]![seed]!["defaultValue"] != "[newGuid()]").Select(seed => $"{seed} is not a secure new GUID"));
    }

    /// <summary>Runs random.bicep in the compiler's console and does the same sum here.</summary>
    private static IEnumerable<string> Random(Bicep bicep, string infra)
    {
        var functions = File.ReadAllLines(Path.Combine(infra, "modules/random.bicep"))
            // The console takes no decorators; without the bounds of `byte` it prints warnings between the values.
            .Where(line => !line.StartsWith('@') && !line.StartsWith("metadata", StringComparison.Ordinal) && line.Length > 0);
        var guids = Enumerable.Range(0, 5).Select(_ => (First: $"{Guid.NewGuid()}", Second: $"{Guid.NewGuid()}")).ToList();
        var calls = guids.Select(pair => $"alphanumeric28('{pair.First}', '{pair.Second}')");
        var run = bicep.Run(["console"], string.Join('\n', functions.Concat(calls)) + "\n");
        var texts = run.Out.Split('\n').Where(line => line.StartsWith('\''));
        return Checks.Equal("random texts", string.Join('\n', guids.Select(pair => $"'{Expected(pair.First, pair.Second)}'")), string.Join('\n', texts));
    }

    private static string Expected(string first, string second)
    {
        // Positions 14 and 19 of a GUID's text are its version and variant, which are no random digits.
        var digits = string.Concat(new[] { first, second }.Select(guid => guid.Remove(19, 1).Remove(14, 1).Replace("-", "", StringComparison.Ordinal)));
        return string.Concat(Convert.FromHexString(digits[..56]).Select(value => Alphabet[value % Alphabet.Length]));
    }

    [GeneratedRegex(@"parameters\('(\w+Seed\d)'\)")]
    private static partial Regex Seed();

    [GeneratedRegex("""^\[(base64\(format\('\{\{"UserID":"\{0\}","Password":"\{1\}"\}\}', parameters\('userId'\), __bicep\.[\w.]*alphanumeric28\(.*\)\)\)|format\('sig_\{0\}', __bicep\.[\w.]*alphanumeric28\(.*\)\))\]$""")]
    private static partial Regex Form();
}
