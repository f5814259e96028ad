using System.Globalization;
using System.Net.Sockets;
using System.Text;

namespace FuncStash.Testing;

/// <summary>A request written byte by byte, for what no HTTP client agrees to send.</summary>
internal static class RawHttp
{
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(20);

    /// <param name="request">Request line, headers and body in Latin-1, with CRLF line ends.</param>
    /// <returns>Status, content type and body. The server must close the connection: send <c>Connection: close</c>.</returns>
    public static async Task<(int Status, string? ContentType, string Body)> SendAsync(Uri server, string request)
    {
        using var client = new TcpClient();
        await client.ConnectAsync(server.Host, server.Port);
        await using var stream = client.GetStream();
        await stream.WriteAsync(Encoding.Latin1.GetBytes(request));
        using var reader = new StreamReader(stream, Encoding.UTF8);
        var text = await reader.ReadToEndAsync().WaitAsync(s_patience, TimeProvider.System);
        var parts = text.Split("\r\n\r\n", 2);
        var lines = parts[0].Split("\r\n");
        var type = lines.FirstOrDefault(line => line.StartsWith("content-type:", StringComparison.OrdinalIgnoreCase));
        var status = int.Parse(lines[0].Split(' ')[1], CultureInfo.InvariantCulture);
        return (status, type?.Split(':', 2)[1].Trim(), parts.Length > 1 ? parts[1] : "");
    }
}
