using FuncStash.Settings;

namespace FuncStash.Functions.Tests;

public sealed class StartupTests
{
    private const string Host = """{ "version": "2.0", /* note */ "functionTimeout": "00:20:00" }""";

    [Fact]
    public void The_longest_attempt_must_fit_into_its_function()
    {
        Startup.CheckTimeout(TimeSpan.FromMinutes(15), Host);
        Startup.CheckTimeout(TimeSpan.FromDays(1), """{ "version": "2.0", "functionTimeout": "-1" }""");

        var refusal = Assert.Throws<FormatException>(() => Startup.CheckTimeout(TimeSpan.FromMinutes(20), Host));
        Assert.Contains("FUNCSTASH_MAX_TIMEOUT", refusal.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("00:20:00", 270)]
    [InlineData("00:16:00", 30)]
    [InlineData("-1", -1)]
    [InlineData(null, 30)]
    public void An_outcome_is_held_on_to_for_as_long_as_its_function_has_after_the_longest_attempt(string? limit, int seconds)
    {
        var host = limit is null ? "{}" : $$"""{ "functionTimeout": "{{limit}}" }""";

        var held = Startup.SettlingTime(TimeSpan.FromMinutes(15), host);

        Assert.Equal(seconds < 0 ? Timeout.InfiniteTimeSpan : TimeSpan.FromSeconds(seconds), held);
    }

    [Theory]
    [InlineData(32, 96, 96, 48)]
    [InlineData(16, 8, 8, 4)]
    [InlineData(1, 0, 1, 1)]
    public void There_are_as_many_attempts_as_leave_the_trigger_asking_and_half_to_one_destination(
        int batchSize, int newBatchThreshold, int most, int toOne)
    {
        var options = Startup.WithPlaces(new FuncStashOptions(), $$"""
            {
              "extensions": { "queues": { "batchSize": {{batchSize}}, "newBatchThreshold": {{newBatchThreshold}} } }
            }
            """);

        Assert.Equal((most, toOne), (options.MaxParallelism, options.DestinationParallelism));
    }

    [Fact]
    public void Several_queues_share_the_places_of_an_instance() =>
        Assert.Equal(
            Startup.WithPlaces(new FuncStashOptions(), Host).MaxParallelism,
            Startup.WithPlaces(new FuncStashOptions { WorkQueues = 8 }, Host).MaxParallelism);

    [Fact]
    public void Where_the_host_file_says_nothing_the_least_default_holds() =>
        Assert.Equal(8, Startup.WithPlaces(new FuncStashOptions(), Host).MaxParallelism);

    [Fact]
    public void The_public_credentials_are_refused_outside_development()
    {
        var own = new FuncStashOptions { Tokens = ["t"], CurrentSigningKey = new string('a', 32), NextSigningKey = new string('b', 32) };

        Assert.Throws<FormatException>(() => Startup.CheckCredentials(new FuncStashOptions(), _ => null));
        Assert.Throws<FormatException>(() => Startup.CheckCredentials(own with { NextSigningKey = DevServer.NextSigningKey }, _ => null));
        Startup.CheckCredentials(new FuncStashOptions(), name => name == "AZURE_FUNCTIONS_ENVIRONMENT" ? "Development" : null);
        Startup.CheckCredentials(own, _ => null);
    }
}
