using System.Net;
using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using FuncStash.Destinations;
using FuncStash.Messages;
using FuncStash.Settings;

namespace FuncStash.Tests.Destinations;

/// <summary>Answers that are rare, and allowed or not (RFC 9110, RFC 9112).</summary>
public sealed class UnusualAnswerTests
{
    [Theory]
    [InlineData("HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")]
    [InlineData("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")]
    [InlineData("HTTP/1.1 204 No Content\r\n\r\n")]
    [InlineData("HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\n")]
    [InlineData("HTTP/1.1 200\r\nContent-Length: 0\r\n\r\n")]
    [InlineData("HTTP/1.1 200 \r\nContent-Length: 0\r\n\r\n")]
    [InlineData("HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok")]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Length: 99\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n")]
    [InlineData("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-T\r\n\r\n2;a=b\r\nok\r\n0\r\nX-T: 1\r\n\r\n")]
    [InlineData("HTTP/1.1 299 Whatever\nContent-Length: 0\n\n")]
    [InlineData("HTTP/1.1 200 OK\r\nX-Folded: a\r\n b\r\nContent-Length: 0\r\n\r\n")]
    public async Task Counts_as_a_delivery_and_the_next_one_is_another(string answer)
    {
        await using var service = new TestService();
        await using var receiver = RawReceiver.Answering(answer);

        for (var i = 0; i < 3; i++)
            Assert.Equal(MessageState.Delivered, await service.StateAsync(await service.AttemptAsync(receiver.Url(), $"{i}")));
        Assert.Equal(3, receiver.Requests.Count);
    }

    [Theory]
    [InlineData("HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n", 304)]
    [InlineData("HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\nConnection: Upgrade\r\n\r\n", 101)]
    [InlineData("HTTP/1.1 999 Denied\r\nContent-Length: 0\r\n\r\n", 999)]
    [InlineData("HTTP/1.1 600 \r\nContent-Length: 0\r\n\r\n", 600)]
    public async Task Counts_as_a_failure_with_its_status(string answer, int status)
    {
        await using var service = new TestService();
        await using var receiver = RawReceiver.Start(async connection =>
        {
            await connection.ReadAsync();
            await connection.WriteAsync(answer);
            await connection.HangAsync();
        });

        Assert.Equal(status, (int?)(await service.DeadLetterAsync(await service.AttemptAsync(receiver.Url())))["responseStatus"]);
    }

    [Fact]
    public async Task Headers_of_60_kB_are_read_and_larger_ones_are_a_failure_in_words()
    {
        await using var service = new TestService();
        var size = 60_000;
        await using var receiver = RawReceiver.Start(async connection =>
        {
            await connection.ReadAsync();
            var lines = string.Concat(Enumerable.Range(0, size / 1000).Select(i => $"X-{i:000}: {new string('h', 992)}\r\n"));
            await connection.WriteAsync($"HTTP/1.1 200 OK\r\n{lines}Content-Length: 0\r\n\r\n");
        });

        Assert.Equal(MessageState.Delivered, await service.StateAsync(await service.AttemptAsync(receiver.Url())));
        size = 80_000;
        var error = Assert.Single(await service.ErrorsAsync(await service.AttemptAsync(receiver.Url())));
        Assert.Equal("the headers of the answer are larger than 64 KiB", (string?)error["error"]);
    }

    [Theory]
    [InlineData("SSH-2.0-OpenSSH_9.6\r\n")]
    [InlineData("HTTP/1.1 abc\r\n\r\n")]
    [InlineData("HTTP/2 200\r\n\r\n")]
    [InlineData("HTTP/1.1 200 OK\r\nno colon\r\n\r\n")]
    public async Task What_is_no_HTTP_is_a_failure_in_words(string answer)
    {
        await using var service = new TestService();
        var answers = new Queue<string>([answer, $"{new string('x', 3_000)}\u0001\u0002\r\n"]);
        await using var receiver = RawReceiver.Start(async connection =>
        {
            await connection.ReadAsync();
            await connection.WriteAsync(answers.Dequeue());
            await connection.UntilClosedAsync();
        });

        for (var i = 0; i < 2; i++)
        {
            var error = (string)Assert.Single(await service.ErrorsAsync(await service.AttemptAsync(receiver.Url())))["error"]!;
            Assert.InRange(error.Length, 10, 501);
            Assert.DoesNotContain(error, char.IsControl);
        }
    }

    [Theory]
    [InlineData("HTTP/1.1 000 Nothing\r\nContent-Length: 0\r\n\r\n", "the answer has no HTTP status: 000")]
    [InlineData("HTTP/1.1 099 Less\r\nContent-Length: 0\r\n\r\n", "the answer has no HTTP status: 099")]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Le", "the destination closed the connection within the headers of its answer")]
    [InlineData("HTTP/1.1 200 OK\r\n", "the destination closed the connection within the headers of its answer")]
    [InlineData("HTT", "the destination closed the connection within the headers of its answer")]
    [InlineData("SSH-2.0-OpenSSH_9.6\r\n", "the answer is not HTTP: Received an invalid status line: 'SSH-2.0-OpenSSH_9.6'.")]
    public async Task What_has_no_status_is_no_response_in_words(string answer, string text)
    {
        await using var service = new TestService();
        await using var receiver = RawReceiver.Start(async connection =>
        {
            await connection.ReadAsync();
            await connection.WriteAsync(answer);
            connection.EndSending();
            await connection.UntilClosedAsync();
        });

        var error = Assert.Single(await service.ErrorsAsync(await service.AttemptAsync(receiver.Url())));

        Assert.Equal(text, (string?)error["error"]);
        Assert.Equal(0, (int?)error["responseStatus"] ?? 0);
    }

    [Fact]
    public async Task Interim_answers_without_end_are_no_answer()
    {
        await using var service = new TestService();
        await using var receiver = RawReceiver.Start(async connection =>
        {
            await connection.ReadAsync();
            while (true)
            {
                await connection.WriteAsync("HTTP/1.1 102 Processing\r\n\r\n");
                await Task.Delay(TimeSpan.FromMilliseconds(5), TimeProvider.System);
            }
        });

        var (id, _) = await service.AttemptInTimeAsync(receiver.Url(), "", ("Upstash-Timeout", "2s"));

        Assert.Equal("no response within 2 s", (string?)Assert.Single(await service.ErrorsAsync(id))["error"]);
    }

    [Fact]
    public async Task An_IPv6_address_is_a_destination()
    {
        await using var service = new TestService();
        await using var receiver = RawReceiver.Start(
            async connection =>
            {
                await connection.ReadAsync();
                await connection.WriteAsync("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
            },
            IPAddress.IPv6Loopback);

        Assert.Equal(MessageState.Delivered, await service.StateAsync(await service.AttemptAsync(receiver.Url())));
        Assert.Equal($"[::1]:{receiver.Port}", Assert.Single(receiver.Requests).Header("Host"));
    }

    [Theory]
    [InlineData("ends without a word", "200 OK", "begun")]
    [InlineData("breaks", "200 OK", "begun")]
    [InlineData("refuses a large body", "413 Content Too Large", "begun")]
    public async Task Over_TLS_the_status_counts_too(string how, string status, string body)
    {
        using var certificate = Certificate();
        await using var receiver = RawReceiver.Start(
            async connection =>
            {
                if (how == "refuses a large body")
                    await connection.ReadHeadAsync();
                else
                    await connection.ReadAsync();
                await connection.WriteAsync($"HTTP/1.1 {status}\r\n\r\n{body}");
                if (how == "breaks")
                    connection.Reset();
                else
                    connection.EndSending(); // no close_notify
                await connection.HangAsync();
            },
            certificate: certificate);
        var options = new FuncStashOptions();
        var connections = new OpenConnections(8);
        using var lookups = new HostLookups(SystemResolver.LookUpAsync, 8);
        using var client = new OutboundClient(
            new DestinationConnector(new AddressPolicy(options), TimeProvider.System, connections, lookups),
            connections, TimeProvider.System,
            handler => handler.SslOptions = new SslClientAuthenticationOptions
            {
                RemoteCertificateValidationCallback = (_, given, _, _) => given?.GetCertHashString() == certificate.GetCertHashString(),
            });
        using var request = new HttpRequestMessage(HttpMethod.Post, receiver.Url()) { Content = new ByteArrayContent(new byte[900_000]) };
        using var exchange = new Exchange(TimeProvider.System, TimeSpan.FromSeconds(30));
        exchange.Enter();

        using var response = await client.SendAsync(request, exchange, TestContext.Current.CancellationToken);
        var (read, _) = await AnswerBody.ReadAsync(response, 1000, TimeSpan.FromSeconds(20), TimeProvider.System, default);

        Assert.Equal(status[..3], ((int)response.StatusCode).ToString(System.Globalization.CultureInfo.InvariantCulture));
        if (how != "breaks")
            Assert.Equal(body, System.Text.Encoding.UTF8.GetString(read));
    }

    private static X509Certificate2 Certificate()
    {
        using var key = RSA.Create(2048);
        var request = new CertificateRequest("CN=127.0.0.1", key, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
        var now = TimeProvider.System.GetUtcNow();
        using var certificate = request.CreateSelfSigned(now.AddDays(-1), now.AddDays(1));
        return X509CertificateLoader.LoadPkcs12(certificate.Export(X509ContentType.Pfx), null);
    }
}
