// A program of a stranger: it publishes to itself, and lets in only what is signed.
using System.Net;
using FuncStash.AspNetCore;
using FuncStash.Client;

var builder = WebApplication.CreateSlimBuilder(args);
builder.Logging.ClearProviders();
builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0));
var app = builder.Build();
var delivered = new TaskCompletionSource<string>();
app.MapPost("/hook", async (HttpRequest request) => delivered.TrySetResult(await new StreamReader(request.Body).ReadToEndAsync())).RequireQStashSignature();
await app.StartAsync();
var url = app.Urls.Single() + "/hook";
await new QStashClient().PublishAsync(url, "hello");
var body = await delivered.Task.WaitAsync(TimeSpan.FromSeconds(30));
using var http = new HttpClient();
var stranger = await http.PostAsync(url, new StringContent("hello"));
Console.WriteLine($"delivered: {body}; a request without a signature: {(int)stranger.StatusCode}");
