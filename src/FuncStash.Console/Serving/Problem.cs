namespace FuncStash.Console.Serving;

/// <summary>A page that says why there is none.</summary>
internal static class Problem
{
    public static PageResult Of(int status, string text) =>
        new PageResult.View(TitleOf(status), typeof(ProblemPage), new ProblemModel(status, TitleOf(status), text)) { Status = status };

    private static string TitleOf(int status) => status switch
    {
        401 => "Not signed in",
        403 => "Refused",
        404 => "Not found",
        413 => "Too big",
        >= 500 => "Failed",
        _ => "Not possible",
    };
}
