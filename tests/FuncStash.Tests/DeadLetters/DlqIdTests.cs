using FuncStash.DeadLetters;

namespace FuncStash.Tests.DeadLetters;

public sealed class DlqIdTests
{
    [Fact]
    public void Of_those_that_fail_in_one_millisecond_each_has_its_own()
    {
        const int Many = 200_000;

        Assert.Equal(Many, Enumerable.Range(0, Many).Select(_ => DlqId.New(1)).Distinct().Count());
        Assert.Equal(Many, Enumerable.Range(0, Many).Select(_ => DlqId.OfRun(1)).Where(id => id.IsOfRun && DlqId.Parse(id.ToString()) == id).Distinct().Count());
    }
}
