using System.Buffers.Text;
using System.Text;
using FuncStash.Messages;
using FuncStash.Runs;
using FuncStash.Settings;

namespace FuncStash.Workflows;

/// <summary>What the delivery of a step is to carry.</summary>
/// <param name="Body">The history; empty where the endpoint is to fetch it.</param>
/// <param name="IsFetched">True where the endpoint is to fetch it.</param>
public sealed record DeliveredHistory(byte[] Body, bool IsFetched);

/// <summary>Reads a run's history once for a delivery (protocol#run-deliveries).</summary>
public sealed class RunHistory(RunStore runs, FuncStashOptions options)
{
    private static readonly byte[] s_first = "[{\"messageId\":\""u8.ToArray(), s_next = ",{\"messageId\":\""u8.ToArray(),
        s_body = "\",\"body\":\""u8.ToArray(), s_end = "\",\"callType\":\"step\"}"u8.ToArray();

    /// <summary>The history for the delivery of a step; null when there is nothing to be delivered any more.</summary>
    public async ValueTask<DeliveredHistory?> ReadAsync(Run run, StepKey key, MessageId message, CancellationToken cancellation)
    {
        var canFetch = run.Spec.Features.CanFetch;
        var steps = await runs.StepsAsync(run, canFetch ? options.Workflows.MaxDeliveredBytes : long.MaxValue, cancellation);
        // The run may have been begun anew, under another message.
        if (steps.FirstOrDefault(step => step.Key == key) is not { Position: { } position } own || own.MessageId != message.Text
            || HistoryRules.IsDone(steps, own))
            return null;
        var history = HistoryRules.Cut(steps, position);
        var length = history.Sum(step => LengthOf(step.MessageId.Length, step.Size)) + 1;
        return canFetch && length > options.Workflows.MaxDeliveredBytes
            ? new DeliveredHistory([], IsFetched: true)
            : new DeliveredHistory(await WriteAsync(run.Key, history, length, cancellation), IsFetched: false);
    }

    /// <summary>The whole history, for a failure function that wants it.</summary>
    public async ValueTask<byte[]> WholeAsync(Run run, CancellationToken cancellation)
    {
        var history = HistoryRules.Cut(await runs.AllStepsAsync(run.Key, cancellation), int.MaxValue);
        return await WriteAsync(run.Key, history, history.Sum(step => LengthOf(step.MessageId.Length, step.Size)) + 1, cancellation);
    }

    // Neither base64 nor ids have a character that JSON.stringify would write otherwise.
    private async ValueTask<byte[]> WriteAsync(MessageId key, IReadOnlyList<RunStep> history, long length, CancellationToken cancellation)
    {
        var written = new byte[length];
        var at = 0;
        foreach (var step in history)
        {
            var body = await runs.BodyAsync(key, step, cancellation);
            Write(at == 0 ? s_first : s_next);
            at += Encoding.ASCII.GetBytes(step.MessageId, written.AsSpan(at));
            Write(s_body);
            Base64.EncodeToUtf8(body, written.AsSpan(at), out _, out var encoded);
            at += encoded;
            Write(s_end);
        }
        written[at++] = (byte)']';
        return at == written.Length ? written : throw new InvalidDataException($"the history of {history[0].MessageId} has {at} bytes, not {length}");

        void Write(byte[] text)
        {
            text.CopyTo(written, at);
            at += text.Length;
        }
    }

    private static long LengthOf(int id, long body) => s_next.Length + id + s_body.Length + ((body + 2) / 3 * 4) + s_end.Length;
}
