namespace FuncStash.Tests.Architecture;

/// <summary>The floors of <c>src/FuncStash</c>, ground first. A room uses rooms of lower floors, and no other.</summary>
/// <remarks>A room is a folder is a namespace. Rooms of one floor do not know each other.</remarks>
internal static class Floors
{
    public static readonly string[][] FromTheGround =
    [
        ["Wire", "Storage", "Telemetry"], // values of the protocol; the ports; names of spans and metrics
        ["Settings", "Retries"], // what an operator sets; how long to wait before a retry
        ["Messages", "Signing", "Access", "Llm"], // what a message is, where it lies; keys; tokens; the model's provider
        ["Headers", "Logs", "DeadLetters", "Deduplication", "UrlGroups"], // what a publisher asks for; what is kept about messages
        ["Admission", "Destinations", "Callbacks", "Runs"], // who may go now; the way out; what reports
        ["Waiting", "Cancelling", "FlowControl"], // what is not due
        ["Queues", "Delivery", "RunLogs"], // the pipeline: load, admit, sign, send, decide, settle
        ["Publishing", "Overview"], // where messages come from; what goes on, at a glance
        ["Schedules", "Workflows"],
        ["Upkeep"], // what is done by the clock
        ["Http"],
        ["(root)"], // puts it all together
    ];
}
