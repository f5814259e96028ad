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

    [Theory]
    [InlineData(200)]
    [InlineData(204)]
    [InlineData(302)]
    public async Task Where_something_else_than_the_service_answers_it_is_as_if_nothing_did(int status)
    {
        await using var other = await Receiver.StartAsync();
        other.Otherwise = _ => Answer.Of(status, status == 204 ? "" : "<html>");

        var ran = await Funcstash.RunAsync(new Dictionary<string, string> { ["QSTASH_URL"] = other.BaseUrl }, ["queues"]);

        Assert.Equal(ExitCode.Unreachable, ran.Code);
        Assert.StartsWith("funcstash: ", ran.Error, StringComparison.Ordinal);
    }
}
