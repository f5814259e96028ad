using System.Collections.Frozen;
using System.Security.Cryptography;

namespace FuncStash.Console.Serving;

/// <summary>The style sheet, the script and the icon, out of this assembly, each under a name that has its content's hash.</summary>
public static class AssetFiles
{
    private static readonly FrozenDictionary<string, (string Url, PageResult.Asset Asset)> s_files = new[]
    {
        Read("console.css", "text/css; charset=utf-8"),
        Read("console.mjs", "text/javascript; charset=utf-8"),
        Read("icon.svg", "image/svg+xml"),
    }.ToFrozenDictionary(file => file.Name, file => (file.Url, file.Asset), StringComparer.Ordinal);

    /// <summary>Where a page finds an asset, relative to <c>/console/</c>.</summary>
    public static string Url(string name) => s_files[name].Url;

    /// <summary>The asset of a name with a hash; null when there is none, or it has changed since.</summary>
    public static PageResult.Asset? Find(string hashed) =>
        s_files.Values.FirstOrDefault(file => file.Url == "assets/" + hashed).Asset;

    private static (string Name, string Url, PageResult.Asset Asset) Read(string name, string contentType)
    {
        using var stream = typeof(AssetFiles).Assembly.GetManifestResourceStream(name)!;
        var bytes = new byte[stream.Length];
        stream.ReadExactly(bytes);
        var hash = Convert.ToHexStringLower(SHA256.HashData(bytes).AsSpan(0, 6));
        var dot = name.LastIndexOf('.');
        return (name, $"assets/{name[..dot]}.{hash}{name[dot..]}", new PageResult.Asset(contentType, bytes));
    }
}
