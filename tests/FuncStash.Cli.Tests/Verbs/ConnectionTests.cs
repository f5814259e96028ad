using FuncStash.Client;
using FuncStash.Client.Tests;

namespace FuncStash.Cli.Tests.Verbs;

/// <summary>Which service is meant.</summary>
public sealed class ConnectionTests
{
    [Fact]
    public void Without_anything_it_is_the_server_that_was_just_started_here()
    {
        var options = Connection.Resolve(null, null);

        Assert.Equal((new Uri(Connection.LocalUrl), EmbeddedServer.Token), (options.BaseUrl!, options.Token!));
    }

    [Fact]
    public void With_a_token_alone_it_is_QStash_itself_as_in_its_SDKs() =>
        Assert.Equal(QStashClientOptions.DefaultBaseUrl, Connection.Resolve(null, "token").BaseUrl);

    [Fact]
    public void The_public_token_goes_to_no_other_machine() =>
        Assert.Throws<UsageException>(() => Connection.Resolve("https://example.com", null));
}
