using FuncStash.Messages;

namespace FuncStash.Runs;

/// <summary>How much room runs and their entries take as they are stored, in bytes.</summary>
public static class RunSize
{
    // Keys, numbers, what the store adds.
    private const int Row = 1024;

    public static int Of(RunSpec spec) => RunJson.Write(spec).Length;

    /// <summary>An entry and its message; payloads that lie elsewhere take none.</summary>
    public static int Of(Submission submission)
    {
        var (step, message) = (submission.Step, submission.Message);
        var bytes = Row + step.Body.Length + (step.Detail is { } detail ? RunJson.Write(detail).Length : 0);
        return message is null ? bytes
            : bytes + Row + MessageJson.Write(message).Length + (message.Body.Length > RunRows.InlineBytes ? 0 : message.Body.Length);
    }
}
