using System.Globalization;
using System.Net.Sockets;
using System.Text;

namespace FuncStash.Testing;

/// <summary>A request as it came over the wire, one character a byte.</summary>
/// <param name="Head">Request line and headers.</param>
internal sealed record RawRequest(string Head, byte[] Body)
{
    /// <summary>The value of a header; null when it is not there.</summary>
    public string? Header(string name) => Head.Split("\r\n").Skip(1)
        .Where(line => line.StartsWith(name + ":", StringComparison.OrdinalIgnoreCase))
        .Select(line => line[(name.Length + 1)..].Trim())
        .SingleOrDefault();
}

/// <summary>One connection of a <see cref="RawReceiver"/>.</summary>
internal sealed class RawConnection(
    Socket socket, Stream stream, int number, Action<RawRequest> keep, CancellationToken stop)
{
    private readonly List<byte> _ahead = [];

    /// <summary>From 0 on, in the order they were made.</summary>
    public int Number => number;

    /// <summary>Reads a request to its end; null when the other side has closed the connection instead.</summary>
    public async Task<RawRequest?> ReadAsync()
    {
        if (await ReadHeadAsync() is not { } head)
            return null;
        var request = new RawRequest(head, []);
        var length = int.Parse(request.Header("Content-Length") ?? "0", CultureInfo.InvariantCulture);
        while (_ahead.Count < length)
        {
            if (!await FillAsync())
                return null;
        }
        request = request with { Body = [.. _ahead.Take(length)] };
        _ahead.RemoveRange(0, length);
        keep(request);
        return request;
    }

    /// <summary>Reads the request line and the headers, and of the body no more than has come with them.</summary>
    public async Task<string?> ReadHeadAsync()
    {
        while (true)
        {
            var text = Encoding.Latin1.GetString([.. _ahead]);
            var end = text.IndexOf("\r\n\r\n", StringComparison.Ordinal);
            if (end >= 0)
            {
                _ahead.RemoveRange(0, end + 4);
                return text[..end];
            }
            if (!await FillAsync())
                return null;
        }
    }

    /// <summary>Reads so many bytes of a body, a piece of 64 KiB at a time with a pause before each; as text, one character a byte.</summary>
    public async Task<string> ReadSlowlyAsync(int length, TimeSpan pause)
    {
        while (_ahead.Count < length)
        {
            await Task.Delay(pause, TimeProvider.System, stop);
            if (!await FillAsync())
                break;
        }
        var body = Encoding.Latin1.GetString([.. _ahead.Take(length)]);
        _ahead.RemoveRange(0, Math.Min(length, _ahead.Count));
        return body;
    }

    /// <summary>Writes bytes, one a character.</summary>
    public async Task WriteAsync(string text)
    {
        await stream.WriteAsync(Encoding.Latin1.GetBytes(text), stop);
        await stream.FlushAsync(stop);
    }

    /// <summary>Ends the sending (FIN) and goes on to receive.</summary>
    public void EndSending() => socket.Shutdown(SocketShutdown.Send);

    /// <summary>Breaks the connection (RST): what was received and not read is gone, on both sides.</summary>
    public void Reset()
    {
        socket.LingerState = new LingerOption(true, 0);
        socket.Dispose();
    }

    /// <summary>Reads and forgets until the other side has closed the connection.</summary>
    public async Task UntilClosedAsync()
    {
        try
        {
            while (await FillAsync())
                _ahead.Clear();
        }
        catch (IOException)
        {
            // Broken is closed too.
        }
    }

    /// <summary>Does nothing until the test is over.</summary>
    public Task HangAsync() => Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, stop);

    private async Task<bool> FillAsync()
    {
        var buffer = new byte[64 * 1024];
        var read = await stream.ReadAsync(buffer, stop);
        _ahead.AddRange(buffer.AsSpan(0, read));
        return read > 0;
    }
}
