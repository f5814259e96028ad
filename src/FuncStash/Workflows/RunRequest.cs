using FuncStash.Headers;
using FuncStash.Publishing;
using FuncStash.Runs;

namespace FuncStash.Workflows;

/// <summary>A publish that is a part of a workflow run.</summary>
/// <param name="Publish">The publish as it came in.</param>
/// <param name="Headers">What its workflow headers say.</param>
public sealed record RunRequest(PublishRequest Publish, RunHeaders Headers)
{
    /// <summary>The run's id as it was given, which may be none.</summary>
    public string RunId => Headers.RunId ?? "";

    /// <summary>The publish as a part of a run; null for one that belongs to none.</summary>
    public static RunRequest? Of(PublishRequest publish)
    {
        var headers = publish.Settings.Workflow;
        return headers.RunId is null ? null : new RunRequest(publish, headers);
    }
}
