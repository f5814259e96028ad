using FuncStash.Callbacks;
using FuncStash.DeadLetters;
using FuncStash.Messages;
using FuncStash.Settings;

namespace FuncStash.Delivery;

/// <summary>Turns an attempt's verdict into the message's next step: its progress, its log events, its callbacks.</summary>
internal static class Settlement
{
    public static Transition Of(
        StoredMessage stored, byte[] body, long startedAt, AttemptOutcome outcome, Verdict verdict, long now,
        FuncStashOptions options)
    {
        var (message, before) = (stored.Message, stored.Progress);
        var due = now;
        // In the log nothing comes before the creation, which another clock may have told.
        (startedAt, now) = (Math.Max(startedAt, message.CreatedAt), Math.Max(now, message.CreatedAt));
        var events = new List<LogEvent>(3);
        var number = before.Events;
        LogEvent Next(MessageState state, long time) => new(stored.Id.Text, state, time, number++);
        if (before.ActiveSince is null)
            events.Add(Next(MessageState.Active, startedAt));

        if (verdict is Verdict.Delivered)
        {
            events.Add(Next(MessageState.Delivered, now));
        }
        else
        {
            var error = Next(MessageState.Error, now) with { ResponseStatus = outcome.Status };
            if (outcome is AttemptOutcome.Response response)
                error = error.With(response.Kept());
            events.Add(verdict switch
            {
                Verdict.Retry retry => error with { Error = retry.Error, NextDelivery = retry.At },
                Verdict.Failed failed => error with { Error = failed.Error },
                _ => error,
            });
            events.Add(verdict is Verdict.Retry again
                ? Next(MessageState.Retry, now) with { NextDelivery = again.At }
                : Next(MessageState.Failed, now));
        }

        var after = before with { Events = number, ActiveSince = null, Failures = 0 };
        if (verdict is Verdict.Retry || before.AttemptTimes.Count > 0)
            after = after with { AttemptTimes = Progress.Times([.. before.AttemptTimes, startedAt, now]) };
        after = verdict switch
        {
            Verdict.Retry retry => after with { State = MessageState.Retry, Retried = before.Retried + 1, DueAt = retry.At },
            Verdict.Delivered => after with { State = MessageState.Delivered, EndedAt = now },
            // What the failure of a run's message means, the run says.
            _ when message.Run is not null => after with { State = MessageState.Failed, EndedAt = now },
            _ => after with { State = MessageState.Failed, EndedAt = now, DlqId = DlqId.New(due).ToString() },
        };
        return new Transition(after, events)
        {
            Followers = CallbackMessages.Of(message, body, before.Retried, outcome, after.DlqId, due, options),
        };
    }
}
