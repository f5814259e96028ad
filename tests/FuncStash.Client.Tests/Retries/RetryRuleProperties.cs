using CsCheck;

namespace FuncStash.Client.Tests.Retries;

/// <summary>What holds for every wait before a retry.</summary>
public sealed class RetryRuleProperties
{
    private static readonly Gen<QStashRetryOptions> s_options =
        from retries in Gen.Int[0, 80]
        from delay in Gen.Int[0, 100_000]
        from max in Gen.Int[0, 1_000_000]
        select new QStashRetryOptions
        {
            MaxRetries = retries, Delay = TimeSpan.FromMilliseconds(delay), MaxDelay = TimeSpan.FromMilliseconds(max),
        };

    [Fact]
    public void A_wait_is_within_the_limits_and_never_negative() =>
        Gen.Select(s_options, Gen.Int[0, 90], Gen.Int[0, 700], Gen.Double[0, 0.999]).Sample((options, retries, elapsed, scatter) =>
        {
            var wait = RetryRule.Wait(Transient(503), retries, TimeSpan.FromSeconds(elapsed), true, options, scatter);
            return wait is null
                ? retries >= options.MaxRetries || elapsed + options.MaxDelay.TotalSeconds > RetryRule.Limit.TotalSeconds
                : retries < options.MaxRetries && wait >= TimeSpan.Zero && wait <= options.MaxDelay
                    && TimeSpan.FromSeconds(elapsed) + wait <= RetryRule.Limit;
        });

    [Fact]
    public void Waits_double_and_are_scattered_down_to_their_half() =>
        Gen.Select(Gen.Int[0, 6], Gen.Double[0, 0.999]).Sample((retries, scatter) =>
        {
            var options = new QStashRetryOptions { MaxRetries = 10 };
            var wait = RetryRule.Wait(Transient(503), retries, TimeSpan.Zero, true, options, scatter)!.Value;
            var full = options.Delay * Math.Pow(2, retries);
            return wait > full / 2 && wait <= full;
        });

    private static QStashRequestException Transient(int status) => new("", status) { IsTransient = true };
}
