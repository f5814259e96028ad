using System.Text;

namespace FuncStash.Sqlite.Entities;

/// <summary>The names of values, which are few, as the same strings again instead of new ones.</summary>
internal static class NameCache
{
    private static readonly string?[] s_names = new string?[256];

    public static string Get(ReadOnlySpan<byte> utf8)
    {
        if (utf8.IsEmpty)
            return "";
        ref var slot = ref s_names[(utf8.Length * 31 + utf8[0] * 7 + utf8[^1] * 131 + utf8[utf8.Length / 2]) & 0xff];
        var name = slot; // racing threads at worst make a name twice
        if (name is null || !Ascii.Equals(utf8, name))
            slot = name = Encoding.UTF8.GetString(utf8);
        return name;
    }
}
