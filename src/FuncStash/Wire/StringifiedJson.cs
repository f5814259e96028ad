using System.Buffers;
using System.Buffers.Text;
using System.Globalization;
using System.Text;

namespace FuncStash.Wire;

/// <summary>Writes JSON byte for byte as <c>JSON.stringify</c> does: no blanks, and no character escaped that need not be.</summary>
/// <remarks>
/// Behind a body parser an endpoint gets an object, not bytes: it writes the object again and verifies the signature over
/// that. System.Text.Json escapes more, such as characters beyond the basic plane.
/// </remarks>
internal sealed class StringifiedJson
{
    private const string Hex = "0123456789abcdef";

    private readonly ArrayBufferWriter<byte> _out = new(1024);
    private bool _needsComma;

    public byte[] ToArray() => _out.WrittenSpan.ToArray();

    public StringifiedJson StartObject() => Open((byte)'{');

    public StringifiedJson EndObject() => Close((byte)'}');

    public StringifiedJson StartArray() => Open((byte)'[');

    public StringifiedJson EndArray() => Close((byte)']');

    public StringifiedJson Name(string name)
    {
        Separate();
        Text(name);
        Raw((byte)':');
        _needsComma = false;
        return this;
    }

    public StringifiedJson String(string name, string? value)
    {
        if (value is not null)
            Name(name).Value(value);
        return this;
    }

    public StringifiedJson Value(string value)
    {
        Separate();
        Text(value);
        _needsComma = true;
        return this;
    }

    public StringifiedJson Number(string name, long value)
    {
        Name(name);
        _out.Write(Encoding.ASCII.GetBytes(value.ToString(CultureInfo.InvariantCulture)));
        _needsComma = true;
        return this;
    }

    public StringifiedJson Flag(string name, bool value)
    {
        Name(name);
        _out.Write(value ? "true"u8 : "false"u8);
        _needsComma = true;
        return this;
    }

    public StringifiedJson Base64(string name, ReadOnlySpan<byte> bytes)
    {
        Name(name);
        Raw((byte)'"');
        var space = _out.GetSpan(System.Buffers.Text.Base64.GetMaxEncodedToUtf8Length(bytes.Length));
        System.Buffers.Text.Base64.EncodeToUtf8(bytes, space, out _, out var written);
        _out.Advance(written);
        Raw((byte)'"');
        _needsComma = true;
        return this;
    }

    public StringifiedJson Header(string name, HeaderMap header)
    {
        Name(name).StartObject();
        foreach (var (key, values) in header)
        {
            Name(key).StartArray();
            foreach (var value in values)
                Value(value);
            EndArray();
        }
        return EndObject();
    }

    private StringifiedJson Open(byte bracket)
    {
        Separate();
        Raw(bracket);
        _needsComma = false;
        return this;
    }

    private StringifiedJson Close(byte bracket)
    {
        Raw(bracket);
        _needsComma = true;
        return this;
    }

    private void Separate()
    {
        if (_needsComma)
            Raw((byte)',');
    }

    private void Raw(byte value) => _out.Write([value]);

    private void Text(string text)
    {
        Raw((byte)'"');
        var rest = text.AsSpan();
        while (true)
        {
            var plain = PlainLength(rest);
            _out.Advance(Encoding.UTF8.GetBytes(rest[..plain], _out.GetSpan(Encoding.UTF8.GetMaxByteCount(plain))));
            if (plain == rest.Length)
                break;
            Escape(rest[plain]);
            rest = rest[(plain + 1)..];
        }
        Raw((byte)'"');
    }

    // ECMA-262, QuoteJSONString.
    private static int PlainLength(ReadOnlySpan<char> text)
    {
        for (var i = 0; i < text.Length; i++)
        {
            var c = text[i];
            if (c is < ' ' or '"' or '\\')
                return i;
            if (!char.IsSurrogate(c))
                continue;
            if (!char.IsHighSurrogate(c) || i + 1 == text.Length || !char.IsLowSurrogate(text[i + 1]))
                return i;
            i++;
        }
        return text.Length;
    }

    private void Escape(char c)
    {
        var letter = c switch { '"' => '"', '\\' => '\\', '\b' => 'b', '\t' => 't', '\n' => 'n', '\f' => 'f', '\r' => 'r', _ => 'u' };
        _out.Write([(byte)'\\', (byte)letter]);
        if (letter == 'u')
            _out.Write([(byte)Hex[c >> 12], (byte)Hex[(c >> 8) & 0xF], (byte)Hex[(c >> 4) & 0xF], (byte)Hex[c & 0xF]]);
    }
}
