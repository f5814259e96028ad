using System.Globalization;
using System.Text;

namespace FuncStash.Client;

/// <summary>Compares the URL a signature was made for with the one that was called.</summary>
/// <remarks>
/// The first is as the publisher wrote it; the second is put together from a request, in which a fragment and a password
/// never arrive, an empty path is <c>/</c>, and servers write escapes and hosts in their own way.
/// </remarks>
internal static class SignedUrl
{
    public static bool IsSame(string signed, string called) =>
        signed == called
        || (Uri.TryCreate(signed, UriKind.Absolute, out var one) && Uri.TryCreate(called, UriKind.Absolute, out var other)
            && one.Scheme == other.Scheme && one.Port == other.Port
            && one.IdnHost.Equals(other.IdnHost, StringComparison.OrdinalIgnoreCase)
            && Normal(one.PathAndQuery) == Normal(other.PathAndQuery));

    /// <summary>Escapes in upper case, and none for what needs none (RFC 3986 §6.2.2.1, RFC 3986 §6.2.2.2).</summary>
    private static string Normal(string pathAndQuery)
    {
        if (!pathAndQuery.Contains('%', StringComparison.Ordinal))
            return pathAndQuery;
        var normal = new StringBuilder(pathAndQuery.Length);
        for (var i = 0; i < pathAndQuery.Length; i++)
        {
            if (pathAndQuery[i] != '%' || i + 2 >= pathAndQuery.Length
                || !byte.TryParse(pathAndQuery.AsSpan(i + 1, 2), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var octet))
            {
                normal.Append(pathAndQuery[i]);
                continue;
            }

            if (char.IsAsciiLetterOrDigit((char)octet) || (char)octet is '-' or '.' or '_' or '~')
                normal.Append((char)octet);
            else
                normal.Append(CultureInfo.InvariantCulture, $"%{octet:X2}");
            i += 2;
        }

        return normal.ToString();
    }
}
