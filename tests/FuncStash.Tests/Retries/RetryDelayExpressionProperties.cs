using System.Globalization;
using CsCheck;
using FuncStash.Retries;

namespace FuncStash.Tests.Retries;

/// <summary>Random expressions, written with as few parentheses as precedence allows, against their plain C# meaning.</summary>
public sealed class RetryDelayExpressionProperties
{
    private const int SumLevel = 1, ProductLevel = 2, SignedLevel = 3, AtomLevel = 4;

    private sealed record Term(string Text, int Level, Func<double, double> Value)
    {
        public string At(int level) => Level < level ? $"({Text})" : Text;
    }

    private static readonly Gen<string> s_space = Gen.OneOf("", "", " ", "\t ");

    private static readonly Gen<Term> s_atom = Gen.OneOf(
        Gen.Const(new Term("retried", AtomLevel, x => x)),
        Gen.Int[0, 20].Select(n => new Term(n.ToString(CultureInfo.InvariantCulture), AtomLevel, _ => n)),
        Gen.Double[0, 1e9].Select(n => new Term(n.ToString("R", CultureInfo.InvariantCulture), AtomLevel, _ => n)),
        Gen.Select(Gen.Double[0, 10], Gen.OneOf("E", "e"), (n, e) =>
            new Term(n.ToString($"{e}17", CultureInfo.InvariantCulture), AtomLevel, _ => n)));

    private static readonly Gen<Term> s_any = Gen.Recursive<Term>((depth, inner) => depth >= 4
        ? s_atom
        : Gen.OneOf(s_atom, Operation(inner), Operation(inner), Signed(inner), Function(inner)));

    private static Gen<Term> Operation(Gen<Term> inner) =>
        Gen.Select(inner, Gen.OneOf('+', '-', '*', '/'), inner, s_space, s_space, (left, sign, right, before, after) =>
        {
            var level = sign is '+' or '-' ? SumLevel : ProductLevel;
            var text = $"{left.At(level)}{before}{sign}{after}{right.At(level + 1)}";
            return sign switch
            {
                '+' => new Term(text, level, x => left.Value(x) + right.Value(x)),
                '-' => new Term(text, level, x => left.Value(x) - right.Value(x)),
                '*' => new Term(text, level, x => left.Value(x) * right.Value(x)),
                _ => new Term(text, level, x => left.Value(x) / right.Value(x)),
            };
        });

    private static Gen<Term> Signed(Gen<Term> inner) =>
        Gen.Select(inner, Gen.Bool, s_space, (term, minus, space) => minus
            ? new Term($"-{space}{term.At(SignedLevel)}", SignedLevel, x => -term.Value(x))
            : new Term($"+{space}{term.At(SignedLevel)}", SignedLevel, term.Value));

    private static Gen<Term> Function(Gen<Term> inner) =>
        Gen.Select(inner, inner, inner, Gen.Int[0, 11], s_space, (a, b, c, which, space) => which switch
        {
            0 => Call("pow", x => Math.Pow(a.Value(x), b.Value(x)), a, b),
            1 => Call("exp", x => Math.Exp(a.Value(x)), a),
            2 => Call("sqrt", x => Math.Sqrt(a.Value(x)), a),
            3 => Call("abs", x => Math.Abs(a.Value(x)), a),
            4 => Call("floor", x => Math.Floor(a.Value(x)), a),
            5 => Call("ceil", x => Math.Ceiling(a.Value(x)), a),
            6 => Call("round", x => Math.Round(a.Value(x), MidpointRounding.AwayFromZero), a),
            7 => Call("min", a.Value, a),
            8 => Call("min", x => Math.Min(a.Value(x), b.Value(x)), a, b),
            9 => Call("max", x => Math.Max(a.Value(x), b.Value(x)), a, b),
            10 => Call("max", x => Math.Max(Math.Max(a.Value(x), b.Value(x)), c.Value(x)), a, b, c),
            _ => Call("min", x => Math.Min(Math.Min(a.Value(x), b.Value(x)), c.Value(x)), a, b, c),
        });

    private static Term Call(string name, Func<double, double> value, params Term[] arguments) =>
        new($"{name}({string.Join(", ", arguments.Select(argument => argument.Text))})", AtomLevel, value);

    [Fact]
    public void A_written_expression_is_read_with_the_same_meaning() =>
        Gen.Select(s_any, Gen.Int[0, 10]).Sample((term, retried) =>
        {
            if (term.Text.Length > 1000)
                return;
            Assert.True(RetryDelayExpression.TryParse(term.Text, out var expression, out var error), error);

            var milliseconds = term.Value(retried);
            var expected = double.IsNaN(milliseconds) || milliseconds <= 0 ? TimeSpan.Zero
                : milliseconds >= 86_400_000 ? TimeSpan.FromDays(1)
                : TimeSpan.FromMilliseconds(milliseconds);
            Assert.Equal(expected, expression.Delay(retried));
        }, iter: 10_000);

    [Fact]
    public void Garbage_never_throws_and_is_refused_with_a_place() =>
        Gen.OneOf(
            Gen.String,
            Gen.OneOf("retried", "pow(", "min(", "exp", "(", ")", ",", "+", "-", "*", "/", " ", "1", ".5", "2e", "e3", "$", "\uD800")
                .Array[0, 40].Select(string.Concat))
            .Sample(text =>
            {
                if (RetryDelayExpression.TryParse(text, out var expression, out var error))
                    Assert.InRange(expression.Delay(3), TimeSpan.Zero, TimeSpan.FromDays(1));
                else
                    Assert.Matches("^Upstash-Retry-Delay: (?s:.+) at character [0-9]+$", error);
            }, iter: 10_000);
}
