using System.Buffers;
using System.Text;
using FuncStash.Wire;

namespace FuncStash.Server.Connections;

/// <summary>The bytes before a request's body (RFC 9112 §2.1), where Kestrel has refused them.</summary>
internal static class RequestHead
{
    /// <summary>The first line with each byte of its target that is not ASCII percent-encoded (RFC 3987 §3.1), and where it ends.</summary>
    /// <param name="request">What begins with the line, or with empty lines before it.</param>
    /// <returns>Null when the line is not whole, or its target is ASCII.</returns>
    public static (byte[] Line, SequencePosition End)? EscapeTarget(in ReadOnlySequence<byte> request)
    {
        var reader = new SequenceReader<byte>(request);
        reader.AdvancePastAny((byte)'\r', (byte)'\n');
        if (!reader.TryReadTo(out ReadOnlySequence<byte> read, (byte)'\n'))
            return null;
        var line = read.ToArray();
        var start = line.AsSpan().IndexOf((byte)' ') + 1;
        var end = line.AsSpan().LastIndexOf((byte)' ');
        if (start == 0 || end < start || Ascii.IsValid(line.AsSpan(start..end)))
            return null;
        var escaped = new List<byte>(line.Length + 64);
        for (var i = 0; i < line.Length; i++)
        {
            if (line[i] < 0x80 || i < start || i >= end)
                escaped.Add(line[i]);
            else
                escaped.AddRange(Encoding.ASCII.GetBytes($"%{line[i]:X2}"));
        }
        escaped.Add((byte)'\n');
        return ([.. escaped], reader.Position);
    }

    /// <summary>The name of the first header with a NUL or a bare CR in its value (RFC 9110 §5.5); null when there is none.</summary>
    public static string? BadHeader(in ReadOnlySequence<byte> request)
    {
        var reader = new SequenceReader<byte>(request);
        while (reader.TryReadTo(out ReadOnlySpan<byte> line, (byte)'\n'))
        {
            if (line is [.., (byte)'\r'])
                line = line[..^1];
            var colon = line.IndexOf((byte)':');
            if (colon > 0 && line[colon..].ContainsAny((byte)'\0', (byte)'\r') && HeaderName.IsValid(Encoding.ASCII.GetString(line[..colon])))
                return Encoding.ASCII.GetString(line[..colon]);
        }
        return null;
    }
}
