using System.Text.Json.Nodes;

namespace FuncStash.Testing;

/// <summary>Where the built server and the Node project are, found from where the tests run.</summary>
internal static class Repository
{
#if DEBUG
    private const string Configuration = "Debug";
#else
    private const string Configuration = "Release";
#endif

    public static string Root { get; } = FindRoot();

    public static string ServerDll { get; } = Built("src/FuncStash.Server", "FuncStash.Server.dll");

    public static string FunctionsOutput { get; } = Built("src/FuncStash.Functions", "");

    public static string NodeFolder { get; } = Path.Combine(Root, "tests", "FuncStash.EndToEnd.Tests", "node");

    public static string WorkflowExampleFolder { get; } = Path.Combine(Root, "examples", "workflow");

    public static string WorkflowAppFolder { get; } = Path.Combine(Root, "tests", "FuncStash.EndToEnd.Tests", "Workflows", "app");

    /// <summary>A file of a project's output, built as the tests are.</summary>
    public static string Built(string project, string file) => Path.Combine(Root, project, "bin", Configuration, "net10.0", file);

    /// <summary>A file of the data that an earlier version wrote.</summary>
    public static string OldData(string file) =>
        Path.Combine(Root, "tests", "FuncStash.EndToEnd.Tests", "Lifecycle", "OldData", file);

    public static JsonNode OldContents(string file) => JsonNode.Parse(File.ReadAllText(OldData(file)))!;

    private static string FindRoot()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, "FuncStash.sln")))
                return folder.FullName;
        }

        throw new DirectoryNotFoundException("no FuncStash.sln above " + AppContext.BaseDirectory);
    }
}
