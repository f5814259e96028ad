using System.CommandLine;
using FuncStash.Client;

namespace FuncStash.Cli.Verbs;

/// <summary><c>keys</c>: what deliveries are signed with.</summary>
internal static class KeysVerb
{
    public static Verb Of(CommandLine commandLine)
    {
        var yes = new Option<bool>("--yes", "-y") { Description = "Do not ask" };
        return new Verb(
            "keys", "The signing keys, as receivers need them in their environment.",
            "funcstash keys >> .env", "funcstash keys rotate")
            .With(new Verb("rotate", "The next key becomes the current one, and there is a new next one.", "funcstash keys rotate --yes").With(yes)
                .Runs(commandLine, async run =>
                {
                    if (!run.Of(yes) && !await run.Terminal.ConfirmAsync("Rotate the signing keys? Receivers that know only the current one will refuse deliveries.", run.Cancellation))
                        return ExitCode.Interrupted;
                    Tell(run, await run.Client.SigningKeys.RotateAsync(run.Cancellation));
                    return ExitCode.Done;
                }))
            .Runs(commandLine, async run => Tell(run, await run.Client.SigningKeys.GetAsync(run.Cancellation)));
    }

    private static void Tell(Invocation run, SigningKeyPair keys)
    {
        if (run.Json)
        {
            run.Tell(keys, "");
            return;
        }

        run.Terminal.Out.WriteLine($"QSTASH_CURRENT_SIGNING_KEY={keys.Current}");
        run.Terminal.Out.WriteLine($"QSTASH_NEXT_SIGNING_KEY={keys.Next}");
    }
}
