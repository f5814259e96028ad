namespace FuncStash.Console.Serving;

/// <param name="Next">Where it goes on, below <c>/console/</c>.</param>
/// <param name="Error">Why the last try failed.</param>
public sealed record SignInModel(string Next, string? Error);

/// <param name="Status">The HTTP status.</param>
/// <param name="Title">What it comes to.</param>
/// <param name="Text">Why.</param>
public sealed record ProblemModel(int Status, string Title, string Text);
