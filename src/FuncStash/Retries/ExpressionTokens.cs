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
    private readonly ReadOnlySpan<char> _text;
    private int _end;

    public ExpressionTokens(ReadOnlySpan<char> text)
    {
        _text = text;
        Advance();
    }

    /// <summary>The current token's kind.</summary>
    public TokenKind Kind { get; private set; }

    /// <summary>Where the current token starts, counted from 0.</summary>
    public int Start { get; private set; }

    private readonly ReadOnlySpan<char> Current => _text[Start.._end];

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
        Start = _end;
        while (Start < _text.Length && _text[Start] is ' ' or '\t')
            Start++;
        _end = Start;
        if (Start == _text.Length)
            Kind = TokenKind.End;
        else if (char.IsAsciiDigit(_text[Start]) || IsDotBeforeDigit(Start))
            AdvanceNumber();
        else if (char.IsAsciiLetter(_text[Start]))
        {
            Kind = TokenKind.Name;
            while (_end < _text.Length && (char.IsAsciiLetterOrDigit(_text[_end]) || _text[_end] == '_'))
                _end++;
        }
        else
        {
            Kind = TokenKind.Symbol;
            // A surrogate pair is one character to whoever reads the error.
            _end += char.IsSurrogatePair(_text[Start], Start + 1 < _text.Length ? _text[Start + 1] : '\0') ? 2 : 1;
        }
    }

    private void AdvanceNumber()
    {
        Kind = TokenKind.Number;
        SkipDigits();
        if (IsDotBeforeDigit(_end))
        {
            _end++;
            SkipDigits();
        }

        // An e without digits behind it is no exponent: it starts the next token.
        if (_end == _text.Length || _text[_end] is not ('e' or 'E'))
            return;
        var sign = _end + 1 < _text.Length && _text[_end + 1] is '+' or '-' ? 1 : 0;
        if (!IsDigit(_end + 1 + sign))
            return;
        _end += 1 + sign;
        SkipDigits();
    }

    private void SkipDigits()
    {
        while (IsDigit(_end))
            _end++;
    }

    private readonly bool IsDigit(int index) => index < _text.Length && char.IsAsciiDigit(_text[index]);

    private readonly bool IsDotBeforeDigit(int index) => index < _text.Length && _text[index] == '.' && IsDigit(index + 1);
}
