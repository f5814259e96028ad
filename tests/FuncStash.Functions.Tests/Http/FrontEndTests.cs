using System.Net;
using FuncStash.Functions.Http;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace FuncStash.Functions.Tests.Http;

public sealed class FrontEndTests
{
    [Theory]
    [InlineData("/v2/publish/https://host/a/b?x=1&y=%252F", "/v2/publish/https://host/a/b?x=1&y=%252F")]
    [InlineData("/v2/publish/https:%252F%252Fhost%252fa", "/v2/publish/https:%2F%2Fhost%2Fa")]
    [InlineData("/v2/publish/https://host/a%20b%25/c?d", "/v2/publish/https://host/a%20b%25/c?d")]
    [InlineData("/v2/publish/http://%5B::1%5D:80/a%5Bb%5D?c=%5B", "/v2/publish/http://[::1]:80/a%5Bb%5D?c=%5B")]
    [InlineData("/v2/queues", "/v2/queues")]
    public void The_target_is_as_the_client_sent_it(string received, string sent) =>
        Assert.Equal(sent, FrontEnd.RawTarget(received));

    [Theory]
    [InlineData("203.0.113.7", "203.0.113.7")]
    [InlineData("203.0.113.7:4711", "203.0.113.7")]
    [InlineData("[2001:db8::7]:4711", "2001:db8::7")]
    [InlineData("2001:db8::7", "2001:db8::7")]
    [InlineData("nobody", "192.0.2.1")]
    public void The_caller_is_who_the_front_end_saw(string header, string address)
    {
        var context = new DefaultHttpContext();
        context.Connection.RemoteIpAddress = IPAddress.Parse("192.0.2.1");
        context.Request.Headers["X-Client-IP"] = header;

        FrontEnd.Restore(context);

        Assert.Equal(IPAddress.Parse(address), context.Connection.RemoteIpAddress);
    }

    [Fact]
    public void The_hosts_own_headers_are_not_the_messages()
    {
        var context = new DefaultHttpContext();
        context.Features.GetRequiredFeature<IHttpRequestFeature>().RawTarget = "/";
        context.Request.Headers["x-ms-invocation-id"] = "1";
        context.Request.Headers["X-Original-For"] = "127.0.0.1:1";
        context.Request.Headers["X-Mine"] = "1";

        FrontEnd.Restore(context);

        Assert.Equal(["X-Mine"], context.Request.Headers.Keys);
    }
}
