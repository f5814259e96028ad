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
        "continued" => "Its dead letter is gone: it was resumed or restarted before, or the letter was deleted. Nothing new was started.",
        "deleted" => "Deleted.",
        "duplicate" => "This message was published before under the same deduplication id, so nothing new was sent.",
        "ended" => "The message had ended already, so there was nothing to cancel.",
        "gone" => "It was gone already, so nothing was changed.",
        "paused" => "Paused.",
        "pinned" => "Pinned: messages do not change these limits any more.",
        "removed" => "Removed.",
        "reset" => "A new rate period has begun, with nothing counted.",
        "resumed" => "Resumed.",
        "rotated" => "Rotated: deliveries are signed with what was the next key.",
        "rotated-before" => "The keys were changed since the question was asked, so nothing was rotated.",
        "run-cancelled" => "The run is cancelled: it calls nobody any more.",
        "run-ended" => "The run had ended already, so there was nothing to cancel.",
        "saved" => "Saved.",
        "sent" => "Sent.",
        "sent-before" => "This form was sent before, just as it is, so nothing new was sent: this is its message.",
        "sent-before-to-many" => "This form was sent before, just as it is, so nothing new was sent.",
        "saved-before" => "This form was sent before, just as it is: this is its schedule.",
        "started" => "Started.",
        "unpinned" => "Unpinned: the next message that brings limits changes them.",
        _ => null,
    };
}
