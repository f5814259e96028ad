using FuncStash.Console.Service;
using FuncStash.Console.Tests.Running;
using FuncStash.Settings;
using FuncStash.Signing;

namespace FuncStash.Console.Tests.Pages;

public sealed class ServicePageTests
{
    [Fact]
    public async Task It_shows_no_secret_to_anybody_and_the_public_ones_of_a_development_server()
    {
        var options = Consoles.Secret with
        {
            LlmBaseUrl = "https://user:password@llm.example.com", LlmApiKey = "the-key-of-the-provider", AllowedNetworks = [System.Net.IPNetwork.Parse("10.9.0.0/16")],
        };
        await using var secret = Consoles.Start(options);
        foreach (var token in (string[])[Consoles.Token, Consoles.ReadOnly])
        {
            var browser = new Browser(secret);
            await browser.SignInAsync(token);
            var page = await browser.GetAsync("/console/settings");
            Assert.Equal(200, page.Status);
            foreach (var kept in (string[])[Consoles.Token, Consoles.ReadOnly, options.CurrentSigningKey, options.NextSigningKey, "password", "the-key-of-the-provider"])
                Assert.DoesNotContain(kept, page.Text, StringComparison.Ordinal);
            Assert.Contains("••••••••" + Consoles.Token[^4..], page.Text, StringComparison.Ordinal);
            Assert.Contains("••••••••4567", page.Text, StringComparison.Ordinal);
            // Not even where it runs is for a bug report.
            var report = page.Text.Split("For a bug report")[1];
            Assert.Contains("FuncStash: 0.", report, StringComparison.Ordinal);
            Assert.DoesNotContain("10.9.", report, StringComparison.Ordinal);
            Assert.DoesNotContain("llm.example.com", report, StringComparison.Ordinal);
        }
        await using var open = Consoles.Start();
        Assert.Contains(DevServer.Token, (await new Browser(open).GetAsync("/console/settings")).Text, StringComparison.Ordinal);
    }

    [Fact]
    public void Every_setting_that_is_read_is_shown()
    {
        var read = new List<string>();
        FuncStashSettings.Read(name =>
        {
            read.Add(name);
            return null;
        });

        Assert.Equal(read.Distinct().Order(StringComparer.Ordinal), SettingTable.Of(new FuncStashOptions()).Select(setting => setting.Name).Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task The_keys_are_rotated_after_a_question()
    {
        await using var service = Consoles.Start();
        var browser = new Browser(service);
        Assert.Contains("Rotate the signing keys?", (await browser.GetAsync("/console/settings/rotate")).Text, StringComparison.Ordinal);

        Assert.Contains("Rotated:", (await browser.FollowAsync("/console/settings/rotate")).Text, StringComparison.Ordinal);

        Assert.Equal(DevServer.NextSigningKey, (string)(await service.CallAsync("GET", "/v2/keys")).Json["current"]!);
    }

    [Fact]
    public async Task A_signature_is_checked_claim_by_claim_also_by_who_may_only_look()
    {
        await using var service = Consoles.Start(Consoles.Secret);
        var signature = service.Get<Signer>().Sign(Consoles.Secret.CurrentSigningKey, "https://example.com/a", "one\ntwo"u8);
        var byNext = service.Get<Signer>().Sign(Consoles.Secret.NextSigningKey, "https://example.com/a", [0, 255]);
        var byOther = service.Get<Signer>().Sign("sig_0000000000000000000000000000", "https://example.com/a", "one\ntwo"u8);
        var browser = new Browser(service);
        await browser.SignInAsync(Consoles.ReadOnly);

        Assert.Contains("It is valid.", await CheckAsync(signature, "https://example.com/a", "one\r\ntwo"), StringComparison.Ordinal);
        Assert.Contains("It is valid.", await CheckAsync(signature, "", "one\r\ntwo"), StringComparison.Ordinal);
        Assert.Contains("It is valid, made with the next key", await CheckAsync(byNext, "https://example.com/a", "AP8=", ("base64", "true")), StringComparison.Ordinal);
        Assert.Contains("sub: it was made for another URL", await CheckAsync(signature, "https://example.com/b", "one\r\ntwo"), StringComparison.Ordinal);
        Assert.Contains("body: it was made for another body", await CheckAsync(signature, "https://example.com/a", "three"), StringComparison.Ordinal);
        Assert.Contains("it was not made with the current or next signing key", await CheckAsync(byOther, "https://example.com/a", "one\r\ntwo"), StringComparison.Ordinal);
        Assert.Contains("it is not a JSON Web Token", await CheckAsync("<script>", "", ""), StringComparison.Ordinal);
        service.Time.Advance(TimeSpan.FromMinutes(6));
        Assert.Contains("exp: it has expired", await CheckAsync(signature, "https://example.com/a", "one\r\ntwo"), StringComparison.Ordinal);
        Assert.Equal(400, (await browser.PostAsync("/console/settings/check", ("signature", signature), ("body", "!"), ("base64", "true"))).Status);
        Assert.Equal(403, (await browser.PostAsync("/console/settings/rotate")).Status);

        async Task<string> CheckAsync(string token, string url, string body, params (string, string)[] more) =>
            (await browser.PostAsync("/console/settings/check", [("signature", token), ("url", url), ("body", body), .. more])).Text;
    }
}
