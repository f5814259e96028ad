namespace FuncStash.Http;

/// <summary>Finds the route of a request; the first in order whose pattern fits.</summary>
public sealed class RouteTable(IEnumerable<Route> routes)
{
    private readonly (Route Route, string[] Segments)[] _routes =
        [.. routes.Select(route => (route, route.Pattern.Split('/', StringSplitOptions.RemoveEmptyEntries)))];

    /// <summary>The route and its values, or null; <paramref name="otherMethod"/> tells that the path has other methods.</summary>
    public (Route Route, IReadOnlyList<string> Values)? Find(string method, RequestTarget target, out bool otherMethod)
    {
        otherMethod = false;
        foreach (var (route, segments) in _routes)
        {
            if (Match(segments, target) is not { } values)
                continue;
            if (route.Method == method)
                return (route, values);
            otherMethod = true;
        }
        return null;
    }

    private static List<string>? Match(string[] segments, RequestTarget target)
    {
        var path = target.Path;
        List<string>? values = null;
        var position = 0;
        foreach (var segment in segments)
        {
            if (position >= path.Length || path[position] != '/')
                return null;
            var start = position + 1;
            if (segment.EndsWith("*}", StringComparison.Ordinal))
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
        // "/v2/queues/" is "/v2/queues" (contract §1).
        return position == path.Length || (position == path.Length - 1 && path[position] == '/') ? values ?? [] : null;
    }
}
