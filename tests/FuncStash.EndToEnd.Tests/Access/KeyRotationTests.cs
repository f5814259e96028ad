using System.Net;

namespace FuncStash.EndToEnd.Tests.Access;

/// <summary>Rolling the signing keys (protocol#keys).</summary>
public abstract class KeyRotationTests(HostFixture hosts, NodeSdk sdk) : EndToEndTests(hosts, sdk)
{
    [Fact]
    public async Task After_a_rotation_deliveries_are_signed_with_what_was_the_next_key()
    {
        var data = await Hosts.NewDataAsync();
        Credentials rotated;
        await using (var host = await Hosts.StartAsync(data))
        {
            var wire = new WireClient(host);
            var answer = await wire.SendAsync(HttpMethod.Post, "/v2/keys/rotate", []);
            Assert.True(answer.Status == HttpStatusCode.OK, answer.ToString());
            rotated = host.Credentials with
            {
                CurrentSigningKey = (string)answer.Json["current"]!, NextSigningKey = (string)answer.Json["next"]!,
            };
            Assert.Equal(host.Credentials.NextSigningKey, rotated.CurrentSigningKey);
            Assert.Matches("^sig_[A-Za-z0-9]{28}$", rotated.NextSigningKey);
            Assert.NotEqual(host.Credentials.NextSigningKey, rotated.NextSigningKey);

            await wire.PublishAsync(Receiver.Url("/hook"), "signed");
            var request = await Receiver.OneAsync("/hook");
            Assert.True(await Sdk.VerifyAsync(rotated, request.Signature, "signed", Receiver.Url("/hook")));
            // An application that has not taken over the new keys yet still accepts: its next is the server's current.
            Assert.True(await Sdk.VerifyAsync(host.Credentials, request.Signature, "signed", Receiver.Url("/hook")));
            await host.StopAsync();
        }

        await using var restarted = await Hosts.StartAsync(data);
        var keys = (await new WireClient(restarted).GetAsync("/v2/keys")).Json;
        Assert.Equal(rotated.CurrentSigningKey, (string?)keys["current"]);
        Assert.Equal(rotated.NextSigningKey, (string?)keys["next"]);
        await restarted.StopAsync();
        await data.DisposeAsync();
    }
}

public sealed class KeyRotationOnSqlite(SqliteHost hosts, NodeSdk sdk) : KeyRotationTests(hosts, sdk);

public sealed class KeyRotationOnFunctions(FunctionsHost hosts, NodeSdk sdk) : KeyRotationTests(hosts, sdk);
