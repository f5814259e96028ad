using FuncStash.Client;
using FuncStash.Console.Parts;

namespace FuncStash.Console.Service;

/// <param name="Token">The newest token.</param>
/// <param name="CurrentKey">The key that deliveries are signed with.</param>
/// <param name="NextKey">The one after the next rotation.</param>
/// <param name="Settings">The settings in force, without secrets.</param>
/// <param name="Report">What to say of the service in a bug report.</param>
/// <param name="Check">The signature that was looked at; null for none.</param>
/// <param name="Done">What was just done, as a word of <see cref="Notice"/>.</param>
public sealed record ServiceModel(
    string Token, string CurrentKey, string NextKey, IReadOnlyList<Setting> Settings, string Report, CheckedSignature? Check, string? Done);

/// <summary>A signature, what it was held against, and what came of it.</summary>
/// <param name="Body">The body as it was typed.</param>
/// <param name="IsBase64">Whether that is base64.</param>
/// <param name="Result">Null where the body is not what it was said to be.</param>
public sealed record CheckedSignature(string Signature, string Url, string Body, bool IsBase64, SignatureVerification? Result);
