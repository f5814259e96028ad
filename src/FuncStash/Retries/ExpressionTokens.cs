using System.Globalization;

namespace FuncStash.Retries;

internal enum TokenKind
{
    End,
    Number,
    Name,
    Symbol,
}

/// <summary>The tokens of a retry-delay expression, one at a time: numbers, names and single characters.</summary>
internal ref struct ExpressionTokens
{
    private readonly ReadOnlySpan<char> text;
    private int end;

    public ExpressionTokens(ReadOnlySpan<char> text)
    {
        this.text = text;
        Advance();
    }

    /// <summary>The current token's kind.</summary>
    public TokenKind Kind { get; private set; }

    /// <summary>Where the current token starts, counted from 0.</summary>
    public int Start { get; private set; }

    private readonly ReadOnlySpan<char> Current => text[Start..end];

    public double TakeNumber()
    {
        var value = double.Parse(Current, NumberStyles.Float, CultureInfo.InvariantCulture);
        Advance();
        return value;
    }

    public string TakeName()
    {
        var name = Current.ToString();
        Advance();
        return name;
    }

    public bool TryTake(char symbol)
    {
        if (Kind != TokenKind.Symbol || Current[0] != symbol)
            return false;
        Advance();
        return true;
    }

    public void Expect(char symbol)
    {
        if (!TryTake(symbol))
            throw new ExpressionException($"expected '{symbol}' but found {Shown}", Start);
    }

    public readonly ExpressionException Unexpected() => new($"unexpected {Shown}", Start);

    private readonly string Shown => Kind == TokenKind.End ? "the end" : $"'{Current}'";

    private void Advance()
    {
        Start = end;
        while (Start < text.Length && text[Start] is ' ' or '\t')
            Start++;
        end = Start;
        if (Start == text.Length)
            Kind = TokenKind.End;
        else if (char.IsAsciiDigit(text[Start]) || IsDotBeforeDigit(Start))
            AdvanceNumber();
        else if (char.IsAsciiLetter(text[Start]))
        {
            Kind = TokenKind.Name;
            while (end < text.Length && (char.IsAsciiLetterOrDigit(text[end]) || text[end] == '_'))
                end++;
        }
        else
        {
            Kind = TokenKind.Symbol;
            // A surrogate pair is one character to whoever reads the error.
            end += char.IsSurrogatePair(text[Start], Start + 1 < text.Length ? text[Start + 1] : '\0') ? 2 : 1;
        }
    }

    private void AdvanceNumber()
    {
        Kind = TokenKind.Number;
        SkipDigits();
        if (IsDotBeforeDigit(end))
        {
            end++;
            SkipDigits();
        }

        // An e without digits behind it is no exponent: it starts the next token.
        if (end == text.Length || text[end] is not ('e' or 'E'))
            return;
        var sign = end + 1 < text.Length && text[end + 1] is '+' or '-' ? 1 : 0;
        if (!IsDigit(end + 1 + sign))
            return;
        end += 1 + sign;
        SkipDigits();
    }

    private void SkipDigits()
    {
        while (IsDigit(end))
            end++;
    }

    private readonly bool IsDigit(int index) => index < text.Length && char.IsAsciiDigit(text[index]);

    private readonly bool IsDotBeforeDigit(int index) => index < text.Length && text[index] == '.' && IsDigit(index + 1);
}
