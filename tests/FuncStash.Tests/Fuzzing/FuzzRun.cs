using CsCheck;

namespace FuncStash.Tests.Fuzzing;

/// <summary>
/// A number of random inputs. Each follows from the run's seed and its own number alone, so a failure names both and is played
/// again with <c>FUNCSTASH_FUZZ_SEED</c> and <c>FUNCSTASH_FUZZ_FIRST</c>.
/// </summary>
internal static class FuzzRun
{
    /// <summary>How many inputs each fuzz test tries; <c>FUNCSTASH_FUZZ_INPUTS</c> asks for a long run.</summary>
    public static int Count(int byDefault) => TestSetting.Number("FUNCSTASH_FUZZ_INPUTS", byDefault);

    public static IEnumerable<(int Number, T Input)> Inputs<T>(Gen<T> inputs, int count)
    {
        var (seed, first) = (TestSetting.Number("FUNCSTASH_FUZZ_SEED", 1), TestSetting.Number("FUNCSTASH_FUZZ_FIRST", 0));
        for (var number = first; number < first + count; number++)
            yield return (number, inputs.Generate(new PCG((uint)seed, (ulong)number), null, out _));
    }

    /// <summary>Tries each input; the first that fails is told with its number.</summary>
    public static async Task PlayAsync<T>(Gen<T> inputs, int count, Func<T, ValueTask> play)
    {
        foreach (var (number, input) in Inputs(inputs, count))
        {
            try
            {
                await play(input);
            }
            catch (Exception failure)
            {
                throw new InvalidOperationException($"input {number}: {input}", failure);
            }
        }
    }
}
