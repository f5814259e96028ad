using FuncStash.Delivery;
using FuncStash.Messages;

namespace FuncStash.Tests.Delivery;

/// <summary>What a ticket is to a message whose row says ticket 1, due at 50, wait 7.</summary>
public sealed class TicketRulesTests
{
    [Theory]
    [InlineData(0, null, 0, 0, "Stale", "Stale")]
    [InlineData(1, null, 0, 0, "Current", "Current")]
    [InlineData(1, null, 0, 1, "Doubtful", "Current")]
    [InlineData(1, 50L, 0, 1, "Current", "Current")]
    [InlineData(1, 50L, 7, 0, "Current", "Current")]
    [InlineData(1, 50L, 8, 0, "Orphan", "Orphan")]
    [InlineData(1, 50L, 8, 1, "Orphan", "Orphan")]
    [InlineData(1, 40L, 7, 0, "Stale", "Current")]
    [InlineData(1, 40L, 7, 1, "Doubtful", "Current")]
    [InlineData(1, 60L, 0, 0, "Stale", "Current")]
    [InlineData(1, 60L, 7, 1, "Stale", "Current")]
    [InlineData(2, null, 0, 0, "Current", "Current")]
    [InlineData(2, 50L, 0, 1, "Current", "Current")]
    [InlineData(2, 50L, 8, 1, "Doubtful", "Doubtful")]
    public void It_is_told_by_its_number_its_due_time_and_its_wait(int number, long? dueAt, int wait, int retried, string host, string lease)
    {
        var delivery = new WorkItem.Deliver(new DeliveryTicket(MessageId.Parse("msg_1CWpCCwF6mHV85kZf2HTrR"), number), dueAt, wait);
        var progress = new Progress { Ticket = 1, DueAt = 50, Wait = 7, Retried = retried };

        Assert.Equal(host, TicketRules.Of(delivery, progress, isHosts: true).ToString());
        Assert.Equal(lease, TicketRules.Of(delivery, progress, isHosts: false).ToString());
    }
}
