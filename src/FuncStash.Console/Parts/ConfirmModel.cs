namespace FuncStash.Console.Parts;

/// <summary>A question before what cannot be undone.</summary>
/// <param name="Title">The question.</param>
/// <param name="Text">What follows from a yes.</param>
/// <param name="Button">What it is called.</param>
/// <param name="Action">Where a yes is posted to, below <c>/console/</c>.</param>
/// <param name="Back">Where a no leads.</param>
public sealed record ConfirmModel(string Title, string Text, string Button, string Action, string Back)
{
    /// <summary>What a yes says besides.</summary>
    public IReadOnlyList<(string Name, string Value)> Fields { get; init; } = [];
}
