using System.Buffers.Text;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using FuncStash.Access;
using FuncStash.Settings;
using Microsoft.AspNetCore.Http;

namespace FuncStash.Console.Access;

/// <summary>
/// Who is signed in. The cookie says what its bearer may do and until when, and is signed with a key that follows from the
/// token: every instance can check it, it holds no token, and it ends when the token is changed.
/// </summary>
public sealed class Sessions
{
    /// <summary>How long one stays signed in.</summary>
    public static readonly TimeSpan Length = TimeSpan.FromHours(12);

    private readonly TokenCheck _tokens;
    private readonly TimeProvider _time;
    private readonly Key[] _keys;
    private readonly AccessLevel _open;

    public Sessions(FuncStashOptions options, TokenCheck tokens, TimeProvider time)
    {
        (_tokens, _time) = (tokens, time);
        _keys = [
            .. options.Tokens.Select(token => new Key(token, AccessLevel.Full)),
            .. options.ReadOnlyTokens.Select(token => new Key(token, AccessLevel.Read))];
        _open = options.Tokens.Any(DevServer.IsPublic) ? AccessLevel.Full
            : options.ReadOnlyTokens.Any(DevServer.IsPublic) ? AccessLevel.Read
            : AccessLevel.None;
    }

    /// <summary>The session of a request; the public credentials of a development server need none.</summary>
    public Session Of(HttpRequest request)
    {
        var best = new Session(_open, IsOpen: _open != AccessLevel.None);
        foreach (var key in _keys)
        {
            if (key.Level > best.Level && request.Cookies[key.CookieName] is { } cookie && key.Accepts(cookie, _time.GetUtcNow()))
                best = new Session(key.Level, IsOpen: false);
        }
        return best;
    }

    /// <summary>The <c>Set-Cookie</c> that signs in; null when the token is none of this service's.</summary>
    /// <param name="token">The token as it was typed in.</param>
    /// <param name="isSecure">Whether the browser came by https.</param>
    public string? SignIn(string token, bool isSecure)
    {
        var level = _tokens.LevelOf(token);
        if (level == AccessLevel.None)
            return null;
        var key = Array.Find(_keys, key => key.Level == level && key.IsOf(token))!;
        var expires = _time.GetUtcNow() + Length;
        return SetCookie(key.CookieName, key.Sign(expires), (int)Length.TotalSeconds, isSecure);
    }

    /// <summary>The <c>Set-Cookie</c>s that sign out.</summary>
    public IEnumerable<string> SignOut(HttpRequest request, bool isSecure) =>
        _keys.Where(key => request.Cookies.ContainsKey(key.CookieName)).Select(key => SetCookie(key.CookieName, "", 0, isSecure));

    // Without a path: the browser then takes that of the request up to its last slash (RFC 6265 §5.1.4). It is /console, and
    // below whatever prefix a proxy puts before it.
    private static string SetCookie(string name, string value, int maxAge, bool isSecure) =>
        $"{name}={value}; Max-Age={maxAge.ToString(CultureInfo.InvariantCulture)}; HttpOnly; SameSite=Strict{(isSecure ? "; Secure" : "")}";

    private sealed class Key
    {
        private readonly byte[] _token, _key;

        public Key(string token, AccessLevel level)
        {
            Level = level;
            _token = Encoding.UTF8.GetBytes(token);
            _key = HKDF.DeriveKey(HashAlgorithmName.SHA256, _token, 32, info: "funcstash console session"u8.ToArray());
            // Servers on other ports of the same host share the browser's cookies.
            CookieName = "funcstash_" + Convert.ToHexStringLower(HMACSHA256.HashData(_key, "name"u8).AsSpan(0, 6));
        }

        public AccessLevel Level { get; }

        public string CookieName { get; }

        private string LevelText => Level == AccessLevel.Full ? "full" : "read";

        public bool IsOf(string token) => CryptographicOperations.FixedTimeEquals(_token, Encoding.UTF8.GetBytes(token));

        public string Sign(DateTimeOffset expires)
        {
            var text = $"{LevelText}.{expires.ToUnixTimeSeconds().ToString(CultureInfo.InvariantCulture)}";
            return $"{text}.{Base64Url.EncodeToString(HMACSHA256.HashData(_key, Encoding.UTF8.GetBytes(text)))}";
        }

        public bool Accepts(string cookie, DateTimeOffset now) =>
            cookie.Split('.') is [var level, var seconds, _] && level == LevelText
            && long.TryParse(seconds, NumberStyles.None, CultureInfo.InvariantCulture, out var expires)
            && expires > now.ToUnixTimeSeconds() && expires <= (now + Length).ToUnixTimeSeconds()
            && CryptographicOperations.FixedTimeEquals(
                Encoding.UTF8.GetBytes(cookie), Encoding.UTF8.GetBytes(Sign(DateTimeOffset.FromUnixTimeSeconds(expires))));
    }
}
