using System.Text.RegularExpressions;
using FuncStash.Headers;

namespace FuncStash.Console.Sending;

/// <summary>A setting that has a field: what the protocol says of it (protocol#headers).</summary>
/// <param name="Name">Its header.</param>
/// <param name="Value">What its value may be.</param>
/// <param name="Default">What holds without it.</param>
/// <param name="Effect">What it does.</param>
/// <param name="IsFlag">Whether it is only <c>true</c> or <c>false</c>.</param>
/// <param name="IsOfSchedules">Whether the messages of a schedule may have it.</param>
/// <param name="IsOfRetries">Whether a retried dead letter may have it changed.</param>
public sealed record SendOption(string Name, string Value, string Default, string Effect, bool IsFlag, bool IsOfSchedules, bool IsOfRetries)
{
    public string Label => Name["Upstash-".Length..].Replace('-', ' ');
}

/// <summary>The settings that have fields, out of the table that the protocol's is made of.</summary>
public static partial class SendOptions
{
    // They have other fields, or mean nothing in a request that the console makes.
    private static readonly string[] s_elsewhere = ["Upstash-Queue-Name", "Upstash-Header-Forward", "Upstash-Feature-Set", "Upstash-Telemetry-Sdk"];

    public static readonly IReadOnlyList<SendOption> All =
    [
        .. HeaderTable.Settings
            .Where(header => header.Places.HasFlag(Places.Publish) && !s_elsewhere.Contains(header.Name)
                && !header.Name.StartsWith("Upstash-Workflow-", StringComparison.Ordinal))
            .Select(header => new SendOption(
                header.Name, Plain(header.Value), Plain(header.Default), Plain(header.Effect), header.Value == "`true` `false`",
                header.Places.HasFlag(Places.Schedule), header.Places.HasFlag(Places.Retry))),
    ];

    public static readonly IReadOnlyList<string> Names = [.. All.Select(option => option.Name)];

    private static readonly string[] s_ofSchedule = [.. HeaderTable.Settings.Where(header => header.MakesSchedule).Select(header => header.Name)];

    /// <summary>Whether it says when a schedule runs, or what its id is.</summary>
    public static bool IsOfSchedule(string name) => s_ofSchedule.Contains(name);

    public static SendOption Find(string name) => All.First(option => option.Name == name);

    // The table is written for the documentation: links and code are only their texts here.
    private static string Plain(string markdown) => Links().Replace(markdown, "$1").Replace("` `", ", ", StringComparison.Ordinal).Replace("`", "", StringComparison.Ordinal);

    [GeneratedRegex(@"\[([^\]]*)\]\([^)]*\)")]
    private static partial Regex Links();
}
