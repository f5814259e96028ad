namespace FuncStash.Console.Parts;

/// <summary>What was just done, as the address of the next page has it: one of these words and no other text.</summary>
internal static class Notice
{
    /// <summary>The sentence of a word; null where there is none.</summary>
    public static string? Of(string? word) => word switch
    {
        "added" => "Added.",
        "cancelled" => "The message is cancelled: no further attempt is made.",
        "changed" => "Changed.",
        "deleted" => "Deleted.",
        "ended" => "The message had ended already, so there was nothing to cancel.",
        "paused" => "Paused.",
        "pinned" => "Pinned: messages do not change these limits any more.",
        "removed" => "Removed.",
        "reset" => "A new rate period has begun, with nothing counted.",
        "resumed" => "Resumed.",
        "rotated" => "Rotated: deliveries are signed with what was the next key.",
        "saved" => "Saved.",
        "sent" => "Sent.",
        "unpinned" => "Unpinned: the next message that brings limits changes them.",
        _ => null,
    };
}
