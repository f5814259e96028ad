using System.Reflection;
using FuncStash.Functions.Http;
using FuncStash.Http;
using Microsoft.AspNetCore.Http;
using Microsoft.Azure.Functions.Worker;

namespace FuncStash.Functions.Tests.Http;

public sealed class ApiFunctionsTests
{
    private static readonly List<(string Name, HttpTriggerAttribute Trigger)> s_functions =
    [
        .. from method in typeof(ApiFunctions).GetMethods()
           let function = method.GetCustomAttribute<FunctionAttribute>()
           where function is not null
           let request = method.GetParameters().Single(parameter => parameter.ParameterType == typeof(HttpRequest))
           select (function.Name, request.GetCustomAttribute<HttpTriggerAttribute>()!),
    ];

    [Fact]
    public async Task Every_route_of_the_service_reaches_one_function()
    {
        await using var stage = await Stage.StartAsync();
        var routes = stage.Get<IEnumerable<IResource>>().SelectMany(resource => resource.Routes).ToList();

        Assert.NotEmpty(routes);
        foreach (var route in routes)
        {
            var takers = s_functions.Where(function => Takes(function.Trigger.Route!, route.Pattern.TrimStart('/'))).ToList();
            Assert.True(takers.Count == 1, $"{route.Method} {route.Pattern}: {string.Join(", ", takers.Select(t => t.Name))}");
        }
    }

    [Fact]
    public void What_takes_every_path_comes_last()
    {
        var all = Assert.Single(s_functions, function => function.Trigger.Route == "{*rest}");

        Assert.Equal(all.Name, s_functions.Max(function => function.Name));
    }

    [Fact]
    public void Functions_leave_methods_and_tokens_to_the_service() => Assert.All(s_functions, function =>
    {
        Assert.Equal(AuthorizationLevel.Anonymous, function.Trigger.AuthLevel);
        Assert.Null(function.Trigger.Methods);
    });

    private static bool Takes(string template, string pattern)
    {
        if (!template.EndsWith("/{*rest}", StringComparison.Ordinal))
            return template == pattern;
        var start = template[..^"/{*rest}".Length];
        return pattern == start || pattern.StartsWith(start + "/", StringComparison.Ordinal);
    }
}
