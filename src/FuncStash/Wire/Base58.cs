namespace FuncStash.Wire;

/// <summary>128 bits as 22 characters of the base58 alphabet, fixed width, so that text order is number order.</summary>
internal static class Base58
{
    public const int Length = 22;

    private const string Alphabet = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";

    // Ten digits at a time fit a ulong: two wide divisions instead of 22.
    private const ulong TenDigits = 430_804_206_899_405_824; // 58^10

    private static readonly sbyte[] s_digits = Digits();

    public static void Encode(UInt128 value, Span<char> text)
    {
        (value, var low) = UInt128.DivRem(value, TenDigits);
        (value, var middle) = UInt128.DivRem(value, TenDigits);
        Write((ulong)low, text.Slice(12, 10));
        Write((ulong)middle, text.Slice(2, 10));
        Write((ulong)value, text[..2]);
    }

    public static bool TryDecode(ReadOnlySpan<char> text, out UInt128 value)
    {
        value = 0;
        if (text.Length != Length || !TryRead(text[..2], out var high) || !TryRead(text.Slice(2, 10), out var middle)
            || !TryRead(text.Slice(12, 10), out var low))
            return false;
        try
        {
            value = checked((((UInt128)high * TenDigits) + middle) * TenDigits) + low;
            return true;
        }
        catch (OverflowException)
        {
            return false;
        }
    }

    private static void Write(ulong value, Span<char> text)
    {
        for (var i = text.Length - 1; i >= 0; i--)
        {
            (value, var digit) = Math.DivRem(value, 58);
            text[i] = Alphabet[(int)digit];
        }
    }

    private static bool TryRead(ReadOnlySpan<char> text, out ulong value)
    {
        value = 0;
        foreach (var c in text)
        {
            if (c >= 128 || s_digits[c] < 0)
                return false;
            value = (value * 58) + (ulong)s_digits[c];
        }
        return true;
    }

    private static sbyte[] Digits()
    {
        var digits = new sbyte[128];
        Array.Fill(digits, (sbyte)-1);
        for (var i = 0; i < Alphabet.Length; i++)
            digits[Alphabet[i]] = (sbyte)i;
        return digits;
    }
}
