namespace FuncStash.Http;

/// <summary>Finds the route of a request; the first in order whose pattern fits.</summary>
public sealed class RouteTable(IEnumerable<Route> routes)
{
    private readonly (Route Route, string[] Segments)[] _routes =
        [.. routes.Select(route => (route, route.Pattern.Split('/', StringSplitOptions.RemoveEmptyEntries)))];

    /// <summary>The route and its values, or null; a HEAD finds the route of its GET.</summary>
    public (Route Route, IReadOnlyList<string> Values)? Find(string method, RequestTarget target)
    {
        if (method == "HEAD")
            method = "GET";
        foreach (var (route, segments) in _routes)
        {
            if (route.Takes(method) && Match(segments, target) is { } values)
                return (route, values);
        }
        return null;
    }

    /// <summary>The methods that the path has; none when there is no such path.</summary>
    public IReadOnlyList<string> MethodsOf(RequestTarget target)
    {
        var methods = _routes.Where(r => Match(r.Segments, target) is not null).Select(r => r.Route.Method).Distinct().ToList();
        if (methods.Contains("GET"))
            methods.Add("HEAD");
        return methods;
    }

    private static List<string>? Match(string[] segments, RequestTarget target)
    {
        var path = target.Path;
        List<string>? values = null;
        var position = 0;
        foreach (var segment in segments)
        {
            var isRest = segment.EndsWith("*}", StringComparison.Ordinal);
            // "/v2/publish" has a rest too, an empty one, which its resource refuses in words.
            if (position >= path.Length ? !isRest : path[position] != '/')
                return null;
            var start = Math.Min(position + 1, path.Length);
            if (isRest)
            {
                (values ??= new(1)).Add(target.RawFrom(start));
                return values;
            }
            var end = path.IndexOf('/', start);
            if (end < 0)
                end = path.Length;
            var text = path.AsSpan(start, end - start);
            if (segment[0] == '{')
            {
                // "/v2/messages/" is the collection; in "/v2/queues//pause" the name is missing, which its resource refuses.
                if (text.Length == 0 && end == path.Length)
                    return null;
                (values ??= new(2)).Add(Uri.UnescapeDataString(text.ToString()));
            }
            else if (!text.Equals(segment, StringComparison.OrdinalIgnoreCase))
            {
                return null;
            }
            position = end;
        }
        // "/v2/queues/" is "/v2/queues" (protocol#base-and-routing).
        return position == path.Length || (position == path.Length - 1 && path[position] == '/') ? values ?? [] : null;
    }
}
