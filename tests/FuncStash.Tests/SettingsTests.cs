using FuncStash.Settings;

namespace FuncStash.Tests;

/// <summary>What an operator sets, and what comes of it.</summary>
public sealed class SettingsTests
{
    // What the protocol, the stores or the host say, and no operator.
    private static readonly string[] s_fixed =
        [nameof(FuncStashOptions.EndedGrace), nameof(FuncStashOptions.DeduplicationWindow), nameof(FuncStashOptions.MaxParallelism),
            nameof(FuncStashOptions.DestinationParallelism), nameof(FuncStashOptions.MaxConnections),
            nameof(FuncStashOptions.MaxSettingsBytes), nameof(FuncStashOptions.SettlingTime)];

    private static readonly Dictionary<string, string> s_set = new(StringComparer.Ordinal)
    {
        ["QSTASH_TOKEN"] = "a,b",
        ["QSTASH_READONLY_TOKEN"] = "c",
        ["QSTASH_CURRENT_SIGNING_KEY"] = "sig_current_0123456789_0123456789",
        ["QSTASH_NEXT_SIGNING_KEY"] = "sig_next_0123456789_0123456789_01",
        ["FUNCSTASH_MAX_BODY_BYTES"] = "1",
        ["FUNCSTASH_MAX_BATCH_BYTES"] = "2",
        ["FUNCSTASH_MAX_RETRIES"] = "3",
        ["FUNCSTASH_MAX_TIMEOUT"] = "4s",
        ["FUNCSTASH_MAX_DELAY"] = "5d",
        ["FUNCSTASH_LOG_RETENTION"] = "6d",
        ["FUNCSTASH_DLQ_RETENTION"] = "7d",
        ["FUNCSTASH_SWEEP_AFTER"] = "8m",
        ["FUNCSTASH_WORK_QUEUES"] = "8",
        ["FUNCSTASH_ALLOW_PRIVATE_NETWORKS"] = "false",
        ["FUNCSTASH_ALLOWED_NETWORKS"] = "10.0.0.0/8",
        ["FUNCSTASH_CHECK_HOSTS"] = "false",
        ["FUNCSTASH_LLM_BASE_URL"] = "https://llm.example.com",
        ["FUNCSTASH_LLM_API_KEY"] = "key",
        ["FUNCSTASH_REGION"] = "US-EAST-1",
        ["FUNCSTASH_WORKFLOW_MAX_STEPS"] = "9",
        ["FUNCSTASH_WORKFLOW_MAX_PARALLEL_STEPS"] = "10",
        ["FUNCSTASH_WORKFLOW_MAX_HISTORY_BYTES"] = "1100",
        ["FUNCSTASH_WORKFLOW_MAX_PAYLOAD_BYTES"] = "1200",
        ["FUNCSTASH_WORKFLOW_MAX_INVOKE_DEPTH"] = "13",
        ["FUNCSTASH_WORKFLOW_MAX_DELIVERED_BYTES"] = "1400",
    };

    [Fact]
    public void Every_option_of_an_operator_has_a_setting_and_its_default_without_one()
    {
        var (defaults, read) = (new FuncStashOptions(), FuncStashSettings.Read(s_set.GetValueOrDefault));
        var unset = FuncStashSettings.Read(_ => null, allowPrivateNetworks: true);
        foreach (var option in typeof(FuncStashOptions).GetProperties())
        {
            Assert.True(s_fixed.Contains(option.Name) == Same(option.GetValue(defaults), option.GetValue(read)), option.Name);
            Assert.True(Same(option.GetValue(defaults), option.GetValue(unset)), option.Name);
        }
        Assert.Equal(
            (1, 2, 3, TimeSpan.FromSeconds(4), TimeSpan.FromDays(5), TimeSpan.FromDays(6), TimeSpan.FromDays(7), TimeSpan.FromMinutes(8)),
            (read.MaxBodyBytes, read.MaxBatchBytes, read.MaxRetries, read.MaxTimeout, read.MaxDelay, read.LogRetention, read.DlqRetention, read.SweepAfter));
    }

    [Fact]
    public void Every_limit_of_workflows_has_a_setting()
    {
        var read = FuncStashSettings.Read(s_set.GetValueOrDefault).Workflows;
        Assert.Equal(
            (9, 10, 1100L, 1200, 13, 1400),
            (read.MaxSteps, read.MaxParallelSteps, read.MaxHistoryBytes, read.MaxPayloadBytes, read.MaxInvokeDepth, read.MaxDeliveredBytes));
    }

    [Theory]
    [InlineData("FUNCSTASH_SWEEP_AFTER", "soon")]
    [InlineData("FUNCSTASH_WORK_QUEUES", "0")]
    [InlineData("FUNCSTASH_WORK_QUEUES", "9")]
    [InlineData("FUNCSTASH_WORK_QUEUES", "x")]
    [InlineData("FUNCSTASH_MAX_DELAY", "0s")]
    [InlineData("FUNCSTASH_MAX_DELAY", "5000000d")]
    [InlineData("FUNCSTASH_MAX_TIMEOUT", "50d")]
    [InlineData("FUNCSTASH_MAX_BATCH_BYTES", "0")]
    [InlineData("FUNCSTASH_WORKFLOW_MAX_STEPS", "0")]
    [InlineData("FUNCSTASH_REGION", "Mars")]
    [InlineData("QSTASH_CURRENT_SIGNING_KEY", "sig_of_31_characters_1234567890")]
    [InlineData("QSTASH_NEXT_SIGNING_KEY", "sig_too_short")]
    public void A_value_that_a_setting_cannot_have_is_refused_by_name(string name, string value)
    {
        var refusal = Assert.Throws<FormatException>(() => FuncStashSettings.Read(asked => asked == name ? value : null));
        Assert.StartsWith(name, refusal.Message, StringComparison.Ordinal);
    }

    private static bool Same(object? one, object? other) => one is System.Collections.IEnumerable and not string
        ? ((System.Collections.IEnumerable)one).Cast<object>().SequenceEqual(((System.Collections.IEnumerable)other!).Cast<object>())
        : Equals(one, other);
}
