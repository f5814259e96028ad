namespace FuncStash.Destinations;

/// <summary>
/// Finds the status of an HTTP/1.1 answer in its bytes, past the interim answers (1xx, RFC 9110 §15.2) that may come first.
/// </summary>
internal struct StatusScanner
{
    // "HTTP/1.1 200": where the digits stand.
    private const int FirstDigit = 9, LastDigit = 11;

    private int _column;
    private int _status;
    private bool _inHeaders;

    /// <summary>Takes the next bytes; the final status once it has been there, 0 before.</summary>
    public int Take(ReadOnlySpan<byte> bytes)
    {
        foreach (var value in bytes)
        {
            if (value == '\n')
                EndLine();
            else if (value != '\r')
            {
                if (!_inHeaders && _column is >= FirstDigit and <= LastDigit)
                    _status = (_status * 10) + value - '0';
                if (!_inHeaders && _column == LastDigit && !IsInterim)
                    return _status;
                _column++;
            }
        }
        return 0;
    }

    private readonly bool IsInterim => _status is >= 100 and < 200 and not 101;

    private void EndLine()
    {
        // An empty line ends the headers of an interim answer; the next one begins with another status line.
        _inHeaders = _column > 0;
        if (!_inHeaders)
            _status = 0;
        _column = 0;
    }
}
