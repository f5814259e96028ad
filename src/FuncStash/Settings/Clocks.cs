namespace FuncStash.Settings;

/// <summary>What is taken for granted about clocks: those of different machines differ a little, and any may be set back.</summary>
/// <remarks>A stored time further in the future than it can be was written by a clock that was ahead, and is no reason to wait.</remarks>
public static class Clocks
{
    /// <summary>By how much clocks of different machines may differ, in milliseconds.</summary>
    public const long SkewMs = 5_000;
}
