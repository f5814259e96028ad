using System.Text;

namespace FuncStash.Testing;

/// <summary>What the receiver answers to one request.</summary>
public sealed record Answer
{
    public int Status { get; init; } = 200;

    public IReadOnlyList<(string Name, string Value)> Headers { get; init; } = [];

    public ReadOnlyMemory<byte> Body { get; init; }

    /// <summary>The answer is held back until this has completed, or the caller has gone.</summary>
    public Task Until { get; init; } = Task.CompletedTask;

    /// <summary>The connection is closed without an answer.</summary>
    public bool Abort { get; init; }

    public static Answer Ok { get; } = new();

    public static Answer Of(int status, string body = "", params (string Name, string Value)[] headers) =>
        new() { Status = status, Body = Encoding.UTF8.GetBytes(body), Headers = headers };

    /// <summary>Never answers before the gate opens.</summary>
    public static Answer Hang(Task gate) => new() { Until = gate };
}
