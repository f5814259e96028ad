using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace FuncStash.Infra.Check;

/// <summary>What a deployment makes, for the smallest and the largest set of choices.</summary>
internal static partial class Deployment
{
    public static void Check(Checks checks, Bicep bicep)
    {
        var small = bicep.Resources();
        var large = bicep.Resources(
            "param vnetEnabled = true", "param zoneRedundant = true", "param keyVaultPurgeProtection = true",
            "param alwaysReadyHttp = 2", "param httpConcurrency = 50", "param readOnlyToken = true",
            "param llmBaseUrl = 'https://llm.example.com/v1'", "param llmApiKey = 'example'",
            "param alertEmail = 'operator@example.com'", "param readyCheck = true");

        foreach (var (choice, resources) in new[] { ("the smallest deployment", small), ("the largest deployment", large) })
        {
            checks.That($"{choice}: everything carries the environment's tag, the app its service's", Tags(resources));
            checks.That($"{choice}: no shared keys, TLS 1.2, nothing public", Storage(resources));
            checks.That($"{choice}: the app may do only what it must", Roles(resources));
            checks.That($"{choice}: secrets are Key Vault's, read by the app's identity", App(resources));
        }

        checks.That("the data are in as many zones as the app, or as the operator says",
            Checks.Equal("smallest", "Standard_LRS", Sku(small))
                .Concat(Checks.Equal("largest", "Standard_ZRS", Sku(large)))
                .Concat(Checks.Equal("given", "Standard_GZRS", Sku(bicep.Resources("param zoneRedundant = true", "param storageSku = 'Standard_GZRS'"))))
                .Concat(Checks.Equal("zones of the smallest plan", false, (bool?)One(small, "Microsoft.Web/serverfarms")["zoneRedundant"]))
                .Concat(Checks.Equal("zones of the largest plan", true, (bool?)One(large, "Microsoft.Web/serverfarms")["zoneRedundant"])));
        checks.That("the smallest deployment has no network, alerts or optional secrets",
            Checks.Equal("networks", 0, Of(small, "Microsoft.Network/virtualNetworks").Count())
                .Concat(Checks.Equal("alerts", 0, Of(small, "Microsoft.Insights/scheduledQueryRules").Count()))
                .Concat(Checks.Equal("secrets", 3, Of(small, "Microsoft.KeyVault/vaults/secrets").Count()))
                .Concat(Checks.Equal("always ready", 0, Scale(small)["alwaysReady"]!.AsArray().Count)));
        checks.That("the largest deployment has private storage, one way out, and alerts",
            Checks.Equal("private endpoints", 3, Of(large, "Microsoft.Network/privateEndpoints").Count())
                .Concat(Checks.Equal("public storage", "Disabled", (string?)One(large, "Microsoft.Storage/storageAccounts")["publicNetworkAccess"]))
                .Concat(Checks.Equal("NAT gateways", 1, Of(large, "Microsoft.Network/natGateways").Count()))
                .Concat(Checks.Equal("log alerts", 3, Of(large, "Microsoft.Insights/scheduledQueryRules").Count()))
                .Concat(Checks.Equal("ready alerts", 1, Of(large, "Microsoft.Insights/metricAlerts").Count()))
                .Concat(((string)One(large, "Microsoft.Insights/webtests")["Request"]!["RequestUrl"]!).Contains("/ready", StringComparison.Ordinal)
                    ? [] : ["the ready test does not call /ready"])
                .Concat(Checks.Equal("secrets", 5, Of(large, "Microsoft.KeyVault/vaults/secrets").Count()))
                .Concat(Checks.Equal("purge protection", true, (bool?)One(large, "Microsoft.KeyVault/vaults")["enablePurgeProtection"]))
                .Concat(Checks.Equal("always ready", """[{"name":"http","instanceCount":2}]""", Scale(large)["alwaysReady"]!.ToJsonString())));
    }

    private static IEnumerable<JsonNode> Of(IEnumerable<JsonNode> resources, string type) =>
        resources.Where(resource => (string?)resource["type"] == type);

    private static JsonNode One(IEnumerable<JsonNode> resources, string type) => Of(resources, type).Single()["properties"]!;

    private static string? Sku(IEnumerable<JsonNode> resources) =>
        (string?)Of(resources, "Microsoft.Storage/storageAccounts").Single()["sku"]!["name"];

    private static JsonNode Scale(IEnumerable<JsonNode> resources) =>
        One(resources, "Microsoft.Web/sites")["functionAppConfig"]!["scaleAndConcurrency"]!;

    private static IEnumerable<string> Tags(IReadOnlyList<JsonNode> resources) =>
        resources.Where(resource => resource["location"] is not null && !EnvironmentTag().IsMatch(resource["tags"]?.ToJsonString() ?? ""))
            .Select(resource => $"{resource["type"]} {resource["name"]} has no azd-env-name")
            .Concat(Checks.Equal("azd-service-name", "api", (string?)Of(resources, "Microsoft.Web/sites").Single()["tags"]!["azd-service-name"]));

    private static IEnumerable<string> Storage(IReadOnlyList<JsonNode> resources)
    {
        var account = One(resources, "Microsoft.Storage/storageAccounts");
        var app = One(resources, "Microsoft.Web/sites");
        return Checks.Equal("allowSharedKeyAccess", false, (bool?)account["allowSharedKeyAccess"])
            .Concat(Checks.Equal("allowBlobPublicAccess", false, (bool?)account["allowBlobPublicAccess"]))
            .Concat(Checks.Equal("minimumTlsVersion", "TLS1_2", (string?)account["minimumTlsVersion"]))
            .Concat(Checks.Equal("httpsOnly", true, (bool?)app["httpsOnly"]))
            .Concat(Checks.Equal("minTlsVersion", "1.2", (string?)app["siteConfig"]!["minTlsVersion"]))
            .Concat(Checks.Equal("deployment passwords", 2, Of(resources, "Microsoft.Web/sites/basicPublishingCredentialsPolicies")
                .Count(policy => (bool?)policy["properties"]!["allow"] == false)))
            .Concat(Checks.Equal("DisableLocalAuth", true, (bool?)One(resources, "Microsoft.Insights/components")["DisableLocalAuth"]));
    }

    private static IEnumerable<string> Roles(IReadOnlyList<JsonNode> resources)
    {
        string[] expected =
        [
            "b7e6dc6d-f1e8-4753-8033-0f276bb0955b Microsoft.Storage", // Storage Blob Data Owner
            "974c5e8b-45b9-4653-ba55-5f855dd0fb88 Microsoft.Storage", // Storage Queue Data Contributor
            "0a9a7e1f-b9d0-4cc4-a60d-0319b160aaa3 Microsoft.Storage", // Storage Table Data Contributor
            "3913510d-42f4-4e42-8a64-420c390055eb microsoft.insights", // Monitoring Metrics Publisher
            "4633458b-17de-408a-b874-0445c86b69e6 Microsoft.KeyVault", // Key Vault Secrets User: the app
            "4633458b-17de-408a-b874-0445c86b69e6 Microsoft.KeyVault", // and who deploys
        ];
        var actual = Of(resources, "Microsoft.Authorization/roleAssignments").Select(assignment =>
        {
            var role = ((string)assignment["properties"]!["roleDefinitionId"]!).Split('/')[^1];
            return $"{role} {Scope().Match((string)assignment["id"]!).Groups[1].Value}";
        });
        return Checks.Equal("role assignments",
            string.Join('\n', expected.Order(StringComparer.OrdinalIgnoreCase)).ToUpperInvariant(),
            string.Join('\n', actual.Order(StringComparer.OrdinalIgnoreCase)).ToUpperInvariant());
    }

    private static IEnumerable<string> App(IReadOnlyList<JsonNode> resources)
    {
        var app = One(resources, "Microsoft.Web/sites");
        var runtime = app["functionAppConfig"]!["runtime"]!;
        var settings = (string)app["siteConfig"]!["appSettings"]!;
        var identity = (string?)app["keyVaultReferenceIdentity"];
        return Checks.Equal("runtime", "dotnet-isolated 10.0", $"{runtime["name"]} {runtime["version"]}")
            .Concat(Checks.Equal("package's identity", identity,
                (string?)app["functionAppConfig"]!["deployment"]!["storage"]!["authentication"]!["userAssignedIdentityResourceId"]))
            .Concat(identity is not null && identity.Contains("identity-", StringComparison.Ordinal) ? [] : [$"keyVaultReferenceIdentity: {identity}"])
            .Concat(settings.Contains("FUNCTIONS_WORKER_RUNTIME", StringComparison.Ordinal)
                ? ["FUNCTIONS_WORKER_RUNTIME is refused by Flex Consumption"] : Array.Empty<string>());
    }

    // A tag as it is, or in an expression that Azure works out.
    [GeneratedRegex("""azd-env-name(":"|\\u0027, \\u0027)check""")]
    private static partial Regex EnvironmentTag();

    [GeneratedRegex(@"/providers/([^/]+)/[^/]+/[^/]+/providers/Microsoft\.Authorization/", RegexOptions.IgnoreCase)]
    private static partial Regex Scope();
}
