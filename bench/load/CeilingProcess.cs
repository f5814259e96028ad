namespace FuncStash.Bench;

/// <summary>The ceiling in a process of its own, as the server under test has one. It ends when its standard input
/// does, so it cannot outlive this process however that ends.</summary>
internal sealed class CeilingProcess : IDisposable
{
    private readonly ReadyProcess _process;

    public Uri Url => _process.Url;
    public string Token => _process.Token;
    public int Pid => _process.Pid;

    private CeilingProcess(ReadyProcess process) => _process = process;

    /// <exception cref="InvalidOperationException">it was not ready within 30 seconds</exception>
    public static async Task<CeilingProcess> StartAsync(TimeProvider time)
    {
        var ceiling = new CeilingProcess(ReadyProcess.Start([typeof(CeilingProcess).Assembly.Location, "ceiling"], withInput: true));
        try
        {
            await ceiling._process.WaitAsync(time);
            return ceiling;
        }
        catch (Exception e)
        {
            ceiling.Dispose();
            throw new InvalidOperationException("the ceiling did not start: " + e.Message, e);
        }
    }

    public void Dispose()
    {
        _process.EndInput();
        _process.Dispose();
    }
}
