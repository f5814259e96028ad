namespace FuncStash.Client;

/// <summary>One page of a list.</summary>
/// <typeparam name="T">What is listed.</typeparam>
/// <param name="Items">The items, in the list's order; there may be none on a page that is not the last.</param>
/// <param name="Cursor">What asks for the next page; null on the last one.</param>
public sealed record CursorPage<T>(IReadOnlyList<T> Items, string? Cursor);
