namespace FuncStash.Retries;

/// <summary>Reads a retry-delay expression by recursive descent; the methods are the grammar's rules.</summary>
/// <remarks>Length and nesting are limited, so a hostile text can exhaust neither the stack nor a worker's time.</remarks>
internal ref struct ExpressionParser
{
    public const int MaxLength = 1_000, MaxNesting = 64;

    private ExpressionTokens _tokens;
    private int _nesting;

    private ExpressionParser(ReadOnlySpan<char> text) => _tokens = new(text);

    /// <exception cref="ExpressionException">What is wrong, and where.</exception>
    public static Expression Parse(string text)
    {
        if (text.Length > MaxLength)
            throw new ExpressionException($"over the limit of {MaxLength} characters", MaxLength);
        var parser = new ExpressionParser(text);
        var expression = parser.Sum();
        return parser._tokens.Kind == TokenKind.End ? expression : throw parser._tokens.Unexpected();
    }

    /// <summary><c>product (('+' | '-') product)*</c></summary>
    private Expression Sum()
    {
        var left = Product();
        while (true)
        {
            if (_tokens.TryTake('+'))
                left = new Expression.Sum(left, Product());
            else if (_tokens.TryTake('-'))
                left = new Expression.Difference(left, Product());
            else
                return left;
        }
    }

    /// <summary><c>signed (('*' | '/') signed)*</c></summary>
    private Expression Product()
    {
        var left = Signed();
        while (true)
        {
            if (_tokens.TryTake('*'))
                left = new Expression.Product(left, Signed());
            else if (_tokens.TryTake('/'))
                left = new Expression.Quotient(left, Signed());
            else
                return left;
        }
    }

    /// <summary><c>('-' | '+') signed | number | 'retried' | name '(' sum (',' sum)* ')' | '(' sum ')'</c></summary>
    private Expression Signed()
    {
        // Every way down passes here, so this is the one place that counts; the innermost value is no level.
        if (_nesting++ > MaxNesting)
            throw new ExpressionException($"nested deeper than {MaxNesting} levels", _tokens.Start);
        var expression = _tokens.TryTake('-') ? new Expression.Negation(Signed())
            : _tokens.TryTake('+') ? Signed()
            : _tokens.TryTake('(') ? Closed(Sum())
            : _tokens.Kind == TokenKind.Number ? new Expression.Number(_tokens.TakeNumber())
            : _tokens.Kind == TokenKind.Name ? Named()
            : throw _tokens.Unexpected();
        _nesting--;
        return expression;
    }

    private Expression Named()
    {
        var start = _tokens.Start;
        var name = _tokens.TakeName();
        if (name == "retried")
            return new Expression.Retried();
        if (ExpressionFunction.Named(name) is not { } function)
            throw new ExpressionException($"unknown name '{name}'", start);

        _tokens.Expect('(');
        var arguments = new List<Expression> { Sum() };
        while (_tokens.TryTake(','))
            arguments.Add(Sum());
        _tokens.Expect(')');
        return function.Arity is not { } arity || arguments.Count == arity
            ? new Expression.Call(function, arguments)
            : throw new ExpressionException(
                $"{name} takes {arity} argument{(arity == 1 ? "" : "s")}, not {arguments.Count}", start);
    }

    private Expression Closed(Expression inner)
    {
        _tokens.Expect(')');
        return inner;
    }
}
