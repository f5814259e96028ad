using FuncStash.Azure;

namespace FuncStash.Storage.Tests;

public sealed class ConnectionSettingsTests
{
    private const string Name = "AzureWebJobsStorage";

    [Fact]
    public void A_connection_string_is_taken_as_it_is() =>
        Assert.Equal("UseDevelopmentStorage=true", Read((Name, "UseDevelopmentStorage=true")).ConnectionString);

    [Theory]
    [InlineData("__")]
    [InlineData(":")]
    public void An_identity_is_read_with_either_separator(string separator)
    {
        var options = Read(
            (Name + separator + "accountName", "acct"), (Name + separator + "credential", "ManagedIdentity"),
            (Name + separator + "clientId", "id"), (Name + separator + "queueServiceUri", "https://q.example"));

        Assert.Equal("acct", options.AccountName);
        Assert.Equal("id", options.ClientId);
        Assert.True(options.ManagedIdentity);
        Assert.Equal(new Uri("https://q.example"), options.QueueServiceUri);
        Assert.Null(options.ConnectionString);
        using var store = new AzureStore(options);
    }

    [Fact]
    public void Three_addresses_do_without_an_account_name()
    {
        var options = Read(
            (Name + "__tableServiceUri", "https://t.example"), (Name + "__queueServiceUri", "https://q.example"),
            (Name + "__blobServiceUri", "https://b.example"));

        using var store = new AzureStore(options);
        Assert.Equal(new Uri("https://t.example"), options.TableServiceUri);
    }

    [Fact]
    public void Nothing_at_all_names_both_ways() => Fails([(Name, " ")], Name, Name + "__accountName");

    [Fact]
    public void A_connection_string_and_an_account_contradict_each_other() =>
        Fails([(Name, "UseDevelopmentStorage=true"), (Name + "__accountName", "acct")], Name, Name + "__accountName");

    [Fact]
    public void Missing_addresses_are_named() =>
        Fails([(Name + "__queueServiceUri", "https://q.example")], Name + "__tableServiceUri", Name + "__blobServiceUri");

    [Fact]
    public void A_malformed_address_is_named() =>
        Fails([(Name + "__accountName", "a"), (Name + "__blobServiceUri", "nowhere")], Name + "__blobServiceUri", "nowhere");

    [Fact]
    public void An_unknown_credential_is_named() =>
        Fails([(Name + "__accountName", "a"), (Name + "__credential", "password")], Name + "__credential", "password");

    [Fact]
    public void A_malformed_connection_string_is_not_shown()
    {
        var options = new AzureStoreOptions { ConnectionString = "AccountKey=s3cret" };

        var failure = Assert.Throws<StorageConfigurationException>(() => new AzureStore(options));

        Assert.DoesNotContain("s3cret", failure.ToString(), StringComparison.Ordinal);
        Assert.DoesNotContain("s3cret", options.ToString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("ab")]
    [InlineData("1abc")]
    [InlineData("with-hyphen")]
    [InlineData("Upper")]
    public void A_prefix_that_Azure_would_refuse_is_refused(string prefix) =>
        Assert.Throws<ArgumentException>(() => new AzureStoreOptions { Prefix = prefix });

    [Fact]
    public void Names_carry_the_prefix()
    {
        var options = new AzureStoreOptions();

        Assert.Equal("funcstashmessages", options.TableName("messages"));
        Assert.Equal("funcstash-deliveries", options.QueueName("deliveries"));
        Assert.Equal("funcstash-bodies", options.BodiesContainerName);
        Assert.Throws<ArgumentException>(() => options.TableName("a-b"));
        // Of the task hub whose name is the prefix.
        Assert.Throws<ArgumentException>(() => options.TableName("instances"));
        Assert.Throws<ArgumentException>(() => options.QueueName("a--b"));
    }

    private static AzureStoreOptions Read(params (string Key, string Value)[] settings) =>
        AzureStoreOptions.FromConfiguration(key => settings.FirstOrDefault(setting => setting.Key == key).Value);

    private static void Fails((string, string)[] settings, params string[] named)
    {
        var failure = Assert.Throws<StorageConfigurationException>(() => Read(settings));
        Assert.All(named, name => Assert.Contains(name, failure.Message, StringComparison.Ordinal));
    }
}
