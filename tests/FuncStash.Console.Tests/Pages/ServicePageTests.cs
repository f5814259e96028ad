using System.Text.Json;
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
        var question = await browser.GetAsync("/console/settings/rotate");
        Assert.Contains("Rotate the signing keys?", question.Text, StringComparison.Ordinal);
        var keys = ("keys", question.Html.Split("name=\"keys\" value=\"")[1].Split('"')[0]);

        Assert.Contains("Rotated:", (await browser.FollowAsync("/console/settings/rotate", keys)).Text, StringComparison.Ordinal);

        // A second click on the same question.
        Assert.Contains("nothing was rotated", (await browser.FollowAsync("/console/settings/rotate", keys)).Text, StringComparison.Ordinal);
        Assert.Contains("nothing was rotated", (await browser.FollowAsync("/console/settings/rotate")).Text, StringComparison.Ordinal);

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
        var refused = await browser.PostAsync("/console/settings/check", ("signature", signature), ("body", "!"), ("base64", "true"));
        Assert.Equal(400, refused.Status);
        Assert.Contains("The body is not base64.", refused.Text, StringComparison.Ordinal);
        Assert.Contains(signature, refused.Html, StringComparison.Ordinal);
        Assert.Equal(403, (await browser.PostAsync("/console/settings/rotate")).Status);

        async Task<string> CheckAsync(string token, string url, string body, params (string, string)[] more) =>
            (await browser.PostAsync("/console/settings/check", [("signature", token), ("url", url), ("body", body), .. more])).Text;
    }

    /// <summary>protocol#settings-and-checks</summary>
    [Fact]
    public async Task Scripts_are_told_the_same_and_no_secret()
    {
        await using var service = Consoles.Start(Consoles.Secret);

        var told = await service.CallAsync("GET", "/v2/settings", null, Consoles.ReadOnly);

        Assert.Equal("1,000", (string)told.Json["settings"]!["FUNCSTASH_MAX_RETRIES"]!);
        Assert.Contains("FuncStash: 0.", (string)told.Json["report"]!, StringComparison.Ordinal);
        foreach (var kept in (string[])[Consoles.Token, Consoles.ReadOnly, Consoles.Secret.CurrentSigningKey, Consoles.Secret.NextSigningKey])
            Assert.DoesNotContain(kept, told.Text, StringComparison.Ordinal);
    }

    /// <summary>protocol#settings-and-checks</summary>
    [Fact]
    public async Task A_script_can_have_a_signature_looked_at()
    {
        await using var service = Consoles.Start(Consoles.Secret);
        var signature = service.Get<Signer>().Sign(Consoles.Secret.CurrentSigningKey, "https://example.com/a", "hello"u8);

        var good = (await CheckAsync(new { signature, url = "https://example.com/a", body = "hello" })).Json;
        Assert.Equal((true, false, 0), ((bool)good["valid"]!, (bool)good["madeWithNextKey"]!, good["problems"]!.AsArray().Count));
        Assert.Equal("https://example.com/a", (string)good["claims"]!["sub"]!);
        Assert.True((bool)(await CheckAsync(new { signature, bodyBase64 = "aGVsbG8=" })).Json["valid"]!);
        var bad = (await CheckAsync(new { signature, url = "https://example.com/b", body = "hullo" })).Json;
        Assert.Equal(["sub: it was made for another URL", "body: it was made for another body"], bad["problems"]!.AsArray().Select(problem => (string)problem!));
        Assert.False((bool)(await CheckAsync(new { })).Json["valid"]!);
        Assert.Equal(400, (await CheckAsync(new { signature, bodyBase64 = "!" })).Status);

        Task<TestAnswer> CheckAsync(object request) => service.CallAsync("POST", "/v2/keys/check", JsonSerializer.Serialize(request), Consoles.ReadOnly);
    }
}
