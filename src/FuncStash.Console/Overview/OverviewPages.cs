using FuncStash.Access;
using FuncStash.Console.Serving;
using FuncStash.Overview;

namespace FuncStash.Console.Overview;

/// <summary>The first page.</summary>
internal sealed class OverviewPages(OverviewReader reader) : IPages
{
    public IEnumerable<PageRoute> Routes => [new("GET", "", AccessLevel.Read, ShowAsync)];

    private async Task<PageResult> ShowAsync(ConsoleCall call) =>
        new PageResult.View("Overview", typeof(OverviewPage), await reader.ReadAsync(call.Aborted));
}
