using System.Text.Json;
using FuncStash.Access;
using FuncStash.Headers;
using FuncStash.Publishing;
using FuncStash.Settings;
using FuncStash.UrlGroups;
using FuncStash.Wire;

namespace FuncStash.Http;

/// <summary><c>/v2/topics</c>: URL groups (protocol#url-groups).</summary>
public sealed class TopicsResource(
    UrlGroupStore groups, EndpointChanges changes, PublishCheck check, PageAnswer pages, FuncStashOptions options) : IResource
{
    public IEnumerable<Route> Routes =>
    [
        new("GET", "/v2/topics", AccessLevel.Read, ListAsync),
        new("GET", "/v2/topics/{name}", AccessLevel.Read, GetAsync),
        new("GET", "/v2/topics/{name}/headers", AccessLevel.Read, HeadersAsync),
        new("PATCH", "/v2/topics/{name}", AccessLevel.Full, PatchAsync),
        new("DELETE", "/v2/topics/{name}", AccessLevel.Full, DeleteAsync),
        new("POST", "/v2/topics/{name}/endpoints", AccessLevel.Full, AddAsync),
        new("DELETE", "/v2/topics/{name}/endpoints", AccessLevel.Full, RemoveAsync),
    ];

    private Task ListAsync(ApiCall call) => pages.WriteAllAsync(call, groups.ListAsync(call.Aborted), Write);

    private async Task GetAsync(ApiCall call)
    {
        var group = await groups.GetAsync(NameOf(call), call.Aborted) ?? throw NotFound(call);
        await call.JsonAsync(200, json => Write(json, group));
    }

    // Not part of QStash.
    private async Task HeadersAsync(ApiCall call)
    {
        var group = await groups.GetAsync(NameOf(call), call.Aborted) ?? throw NotFound(call);
        await call.JsonAsync(200, json =>
        {
            json.WriteStartObject();
            json.WritePropertyName("headers");
            MessageAnswer.WriteHeader(json, group.Headers);
            json.WriteEndObject();
        });
    }

    private async Task AddAsync(ApiCall call)
    {
        var name = NameOf(call);
        using var body = await BodyAsync(call);
        await changes.AddAsync(
            name, [.. EndpointsIn(body).Select(item => EndpointChanges.EndpointOf(item.Text("name"), item.Text("url")))], call.Aborted);
        await call.OkAsync();
    }

    private async Task RemoveAsync(ApiCall call)
    {
        var name = NameOf(call);
        using var body = await BodyAsync(call);
        var removed = EndpointsIn(body).Select(e => (Name: e.Text("name"), Url: e.Text("url"))).ToList();
        if (!await changes.RemoveAsync(name, removed, call.Aborted))
            throw NotFound(call);
        await call.OkAsync();
    }

    private async Task PatchAsync(ApiCall call)
    {
        var name = NameOf(call);
        using var body = await BodyAsync(call);
        var headers = body.RootElement.Headers("headers");
        // What every publish would be refused for is refused here.
        await check.SettingsAsync(
            PublishSettingsReader.ParseNew(headers ?? HeaderMap.Empty, options),
            "it cannot be a default of a URL group, give it with the publish that is to be a schedule", call.Aborted);
        if (!await groups.ChangeAsync(name, old => old is null ? null : old with { Headers = headers ?? old.Headers }, call.Aborted))
            throw NotFound(call);
        await call.OkAsync();
    }

    private async Task DeleteAsync(ApiCall call)
    {
        await groups.DeleteAsync(NameOf(call), call.Aborted);
        await call.OkAsync();
    }

    private async ValueTask<JsonDocument> BodyAsync(ApiCall call) =>
        JsonBody.Parse(await call.BodyAsync(options.MaxBodyBytes), JsonValueKind.Object);

    private static List<JsonElement> EndpointsIn(JsonDocument body) =>
        body.RootElement.Items("endpoints").Take(UrlGroup.MaxEndpoints + 1).ToList() is { Count: <= UrlGroup.MaxEndpoints } few
            ? few
            : throw new QStashException(413, $"endpoints: at most {UrlGroup.MaxEndpoints} at a time");

    private static string NameOf(ApiCall call) => EndpointChanges.Checked(call.Values[0]);

    private static QStashException NotFound(ApiCall call) => QStashException.NotFound($"topic {call.Values[0]} not found");

    private static void Write(Utf8JsonWriter json, UrlGroup group)
    {
        json.WriteStartObject();
        json.WriteString("name", group.Name);
        json.WriteNumber("createdAt", group.CreatedAt);
        json.WriteNumber("updatedAt", group.UpdatedAt);
        json.WriteStartArray("endpoints");
        foreach (var endpoint in group.Endpoints)
        {
            json.WriteStartObject();
            json.WriteIf("name", endpoint.Name);
            json.WriteString("url", endpoint.Url);
            json.WriteEndObject();
        }
        json.WriteEndArray();
        json.WriteEndObject();
    }
}
