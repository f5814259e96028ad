namespace FuncStash.Retries;

/// <summary>The tree of a retry-delay expression; evaluating it never fails, at worst it gives NaN or an infinity.</summary>
internal abstract record Expression
{
    private Expression()
    {
    }

    /// <summary>The value for a number of retries already done.</summary>
    public abstract double Evaluate(double retried);

    public sealed record Number(double Value) : Expression
    {
        public override double Evaluate(double retried) => Value;
    }

    /// <summary>The one variable.</summary>
    public sealed record Retried : Expression
    {
        public override double Evaluate(double retried) => retried;
    }

    public sealed record Negation(Expression Operand) : Expression
    {
        public override double Evaluate(double retried) => -Operand.Evaluate(retried);
    }

    public sealed record Sum(Expression Left, Expression Right) : Expression
    {
        public override double Evaluate(double retried) => Left.Evaluate(retried) + Right.Evaluate(retried);
    }

    public sealed record Difference(Expression Left, Expression Right) : Expression
    {
        public override double Evaluate(double retried) => Left.Evaluate(retried) - Right.Evaluate(retried);
    }

    public sealed record Product(Expression Left, Expression Right) : Expression
    {
        public override double Evaluate(double retried) => Left.Evaluate(retried) * Right.Evaluate(retried);
    }

    public sealed record Quotient(Expression Left, Expression Right) : Expression
    {
        public override double Evaluate(double retried) => Left.Evaluate(retried) / Right.Evaluate(retried);
    }

    public sealed record Call(ExpressionFunction Function, IReadOnlyList<Expression> Arguments) : Expression
    {
        public override double Evaluate(double retried) =>
            Function.Apply([.. Arguments.Select(argument => argument.Evaluate(retried))]);
    }
}
