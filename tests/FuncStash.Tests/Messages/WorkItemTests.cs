using FuncStash.Messages;

namespace FuncStash.Tests.Messages;

/// <summary>The texts of the work queue's messages.</summary>
public sealed class WorkItemTests
{
    [Theory]
    [InlineData("msg_1CWpCHG15QGPitAn3n79YD|3", null, 0)]
    [InlineData("msg_1CWpCHG15QGPitAn3n79YD|3|1767614921832", 1_767_614_921_832, 0)]
    [InlineData("msg_1CWpCHG15QGPitAn3n79YD|3|1767614921832|77", 1_767_614_921_832, 77)]
    public void A_ticket_says_when_it_is_due_and_which_wait_it_ends(string text, long? dueAt, int wait)
    {
        var ticket = new WorkItem.Deliver(new DeliveryTicket(MessageId.Parse("msg_1CWpCHG15QGPitAn3n79YD"), 3), dueAt, wait);

        Assert.Equal(text, ticket.Text);
        Assert.Equal(ticket, WorkItem.Parse(text));
    }

    [Theory]
    [InlineData("msg_1CWpCHG15QGPitAn3n79YD|3|")]
    [InlineData("msg_1CWpCHG15QGPitAn3n79YD|3|x")]
    [InlineData("msg_1CWpCHG15QGPitAn3n79YD|3|1767614921832|")]
    [InlineData("msg_1CWpCHG15QGPitAn3n79YD|3|1767614921832|x")]
    [InlineData("msg_1CWpCHG15QGPitAn3n79YD|3|1767614921832|77|1")]
    [InlineData("msg_1CWpCHG15QGPitAn3n79YD|x|1767614921832|77")]
    public void What_is_no_ticket_means_nothing(string text) => Assert.Null(WorkItem.Parse(text));
}
