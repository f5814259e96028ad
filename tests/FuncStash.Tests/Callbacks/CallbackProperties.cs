using CsCheck;
using FuncStash.Delivery;
using FuncStash.Headers;
using FuncStash.Messages;
using FuncStash.Publishing;
using FuncStash.Settings;
using FuncStash.Wire;

namespace FuncStash.Tests.Callbacks;

/// <summary>Callbacks end: each message has those it was published with, and what it was not asked for it does not cause.</summary>
public sealed class CallbackProperties
{
    private const long Start = 1_767_600_000_000;

    private static readonly FuncStashOptions s_options = new();

    /// <summary>What a publish asks for: its retries, and what is to be told of its attempts and of its failure.</summary>
    private sealed record Asked(int? Retries, Asked? Callback, Asked? FailureCallback)
    {
        public static Gen<Asked> OfDepth(int depth)
        {
            var retries = Gen.Int[-1, 2].Select(n => n < 0 ? (int?)null : n);
            if (depth == 0)
                return retries.Select(n => new Asked(n, null, null));
            var further = Gen.Select(Gen.Bool, OfDepth(depth - 1), (asks, asked) => asks ? asked : null);
            return Gen.Select(retries, further, further, (n, callback, failure) => new Asked(n, callback, failure));
        }

        public void WriteTo(HeaderMap headers, string prefix)
        {
            if (Retries is { } retries)
                headers.Add($"{prefix}Retries", $"{retries}");
            foreach (var (name, further) in new[] { ("Callback", Callback), ("Failure-Callback", FailureCallback) })
            {
                if (further is null)
                    continue;
                headers.Add(prefix + name, "https://example.com/");
                further.WriteTo(headers, $"{prefix}{name}-");
            }
        }

        /// <summary>The most attempts that it can come to, those of all callbacks included.</summary>
        public int MostAttempts(int inherited)
        {
            var attempts = 1 + (Retries ?? inherited);
            return attempts + (attempts * (Callback?.MostAttempts(attempts - 1) ?? 0)) + (FailureCallback?.MostAttempts(attempts - 1) ?? 0);
        }
    }

    [Fact]
    public void Whatever_the_destinations_answer_the_callbacks_of_callbacks_come_to_an_end() =>
        Gen.Select(Asked.OfDepth(3), Gen.Int).Sample((asked, seed) =>
        {
            var headers = new HeaderMap();
            asked.WriteTo(headers, "Upstash-");
            var (random, now, attempts) = (new Random(seed), Start, 0);
            var ids = 0;
            var source = new Message { Id = MessageId.Create(now, ++ids, 1), Url = "https://example.com/", MaxRetries = Publisher.DefaultRetries };
            var first = PublishSettingsReader.Parse(headers, s_options).ApplyTo(source, now);
            // Each with what was asked for it.
            var live = new Queue<(StoredMessage Stored, Asked Asked)>([(new StoredMessage(first, new Progress { DueAt = now }, null), asked)]);
            var known = new HashSet<MessageId> { first.Id };
            while (live.TryDequeue(out var next))
            {
                var (stored, was) = next;
                Assert.True(++attempts <= asked.MostAttempts(Publisher.DefaultRetries), "more attempts than were asked for");
                now = Math.Max(now, stored.Progress.DueAt) + 1;
                AttemptOutcome outcome = random.Next(3) == 0
                    ? new AttemptOutcome.Response(200, HeaderMap.Empty, [])
                    : new AttemptOutcome.NoResponse("refused");
                var verdict = Verdict.Of(stored.Message, stored.Progress.Retried, outcome, DateTimeOffset.FromUnixTimeMilliseconds(now), random: 0);
                var step = Settlement.Of(stored, [], now, outcome, verdict, now, s_options);

                var failed = verdict is Verdict.Failed;
                var expected = new[] { was.Callback, failed ? was.FailureCallback : null }.OfType<Asked>().ToList();
                Assert.Equal(expected.Count, step.Followers.Count);
                foreach (var (follower, further) in step.Followers.Zip(expected))
                {
                    Assert.True(known.Add(follower.Id));
                    Assert.Equal(stored.Id.Text, follower.CallbackOf);
                    Assert.Equal((further.Callback is null, further.FailureCallback is null), (follower.Callback is null, follower.FailureCallback is null));
                    live.Enqueue((new StoredMessage(follower, new Progress { DueAt = follower.NotBefore }, null), further));
                }
                if (step.After.EndedAt is null)
                    live.Enqueue((stored with { Progress = step.After }, was));
            }
        }, iter: 2_000);
}
