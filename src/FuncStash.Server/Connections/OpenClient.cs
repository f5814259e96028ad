using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;

namespace FuncStash.Server.Connections;

/// <summary>A client's connection among all of them: at work on a request, or idle. A feature of the connection.</summary>
/// <param name="all">All of them.</param>
/// <param name="connection">The connection.</param>
/// <param name="hasRoom">False for one that there is no place for: it is only told so.</param>
internal sealed class OpenClient(OpenClients all, ConnectionContext connection, bool hasRoom)
{
    private volatile bool _isBusy, _isGone;

    public bool HasRoom => hasRoom;

    public bool IsBusy => _isBusy;

    public bool IsGone
    {
        get => _isGone;
        set => _isGone = value;
    }

    /// <summary>Its place among those that are idle; null for others. Belongs to <see cref="OpenClients"/>.</summary>
    public LinkedListNode<OpenClient>? Place { get; set; }

    /// <summary>Since when it has been idle: a timestamp.</summary>
    public long IdleSince { get; set; }

    /// <summary>A request has come.</summary>
    public void Begin()
    {
        _isBusy = true;
        all.NoteBusy(this);
    }

    /// <summary>The request is answered.</summary>
    public void End()
    {
        _isBusy = false;
        all.NoteIdle(this);
    }

    public void Leave() => all.Leave(this);

    /// <summary>Asks for the end of the connection, after the request that it is at work on or is just beginning.</summary>
    public void RequestClose() => connection.Features.Get<IConnectionLifetimeNotificationFeature>()?.RequestClose();

    public void Abort() => connection.Abort(new ConnectionAbortedException("closed in favour of another connection"));
}
