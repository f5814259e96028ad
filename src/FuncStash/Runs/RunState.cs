namespace FuncStash.Runs;

/// <summary>What has become of a run.</summary>
public enum RunState
{
    Started,
    Success,
    Failed,
    Canceled,
}

public static class RunStates
{
    public static string Wire(this RunState state) => state switch
    {
        RunState.Started => "RUN_STARTED",
        RunState.Success => "RUN_SUCCESS",
        RunState.Failed => "RUN_FAILED",
        RunState.Canceled => "RUN_CANCELED",
        _ => throw new ArgumentOutOfRangeException(nameof(state)),
    };

    public static bool TryParse(string text, out RunState state)
    {
        foreach (var candidate in Enum.GetValues<RunState>())
        {
            if (candidate.Wire() == text)
            {
                state = candidate;
                return true;
            }
        }
        state = default;
        return false;
    }
}
