using FuncStash.Destinations;
using FuncStash.Settings;

namespace FuncStash.Tests.Delivery;

public sealed class DestinationLanesTests
{
    private const string Url = "https://slow.example/a";

    private static DestinationLanes Lanes(int most = 1024, int toOne = 256) =>
        new(new FuncStashOptions { MaxParallelism = most, DestinationParallelism = toOne }, TimeProvider.System);

    private static List<DestinationLanes.Place> Fill(DestinationLanes lanes, string url)
    {
        var places = new List<DestinationLanes.Place>();
        while (lanes.TryEnter(url) is { } place)
            places.Add(place);
        return places;
    }

    [Fact]
    public void A_full_lane_leaves_other_hosts_alone()
    {
        var lanes = Lanes();
        Assert.Equal(256, Fill(lanes, "https://slow.example/a").Count);
        Assert.Null(lanes.TryEnter("https://slow.example/b?x=1"));
        Assert.Null(lanes.TryEnter("https://slow.example?x=1"));
        Assert.Null(lanes.TryEnter("https://slow.example#top"));
        Assert.NotNull(lanes.TryEnter("https://other.example/a"));
        Assert.NotNull(lanes.TryEnter("https://slow.example:8443/a"));
    }

    [Fact]
    public void A_host_that_gives_no_response_gets_fewer_places_and_all_of_them_back_when_it_answers()
    {
        var lanes = Lanes();
        Fill(lanes, Url).ForEach(place => place.Leave(answered: false));
        var narrow = Fill(lanes, Url);
        Assert.Equal(DestinationLanes.Narrow, narrow.Count);

        narrow.ForEach(place => place.Leave(answered: true));
        for (var i = 0; i < 10; i++)
            Fill(lanes, Url).ForEach(place => place.Leave(answered: true));
        Assert.Equal(256, Fill(lanes, Url).Count);
    }

    [Fact]
    public void Many_hosts_that_hang_leave_a_place_for_another()
    {
        var lanes = Lanes(most: 128, toOne: 64);
        for (var n = 1; n <= 7; n++)
        {
            Fill(lanes, $"https://hanging{n}.example/");
            var place = lanes.TryEnter("https://well.example/");
            Assert.NotNull(place);
            place.Value.Leave(answered: true);
        }
        Assert.Equal(127, lanes.InFlight);
    }

    [Fact]
    public void Hosts_share_the_places_evenly_and_leave_as_many_free()
    {
        var lanes = Lanes(most: 128, toOne: 64);
        var held = new List<DestinationLanes.Place>[3];
        for (var host = 0; host < 3; host++)
            held[host] = Fill(lanes, $"https://hanging{host}.example/");
        Assert.Equal([64, 32, 16], held.Select(places => places.Count));

        // The first gives back as attempts end, and those behind take what is theirs.
        for (var round = 0; round < 200; round++)
        {
            var longest = held.MaxBy(places => places.Count)!;
            longest[0].Leave(answered: true);
            longest.RemoveAt(0);
            for (var host = 2; host >= 0; host--)
                held[host].AddRange(Fill(lanes, $"https://hanging{host}.example/"));
        }
        Assert.All(held, places => Assert.InRange(places.Count, 31, 33));
        Assert.InRange(128 - lanes.InFlight, 31, 33);
    }

    [Fact]
    public void A_process_without_a_place_is_full_for_every_host_and_takes_them_again_when_one_is_free()
    {
        var lanes = Lanes(most: 1, toOne: 1);
        var place = lanes.TryEnter("https://a.example");
        Assert.Null(lanes.TryEnter("https://b.example"));
        Assert.True(lanes.IsFull("https://b.example"));
        place!.Value.Leave(answered: true);
        Assert.False(lanes.IsFull("https://b.example"));
        Assert.NotNull(lanes.TryEnter("https://b.example"));
    }

    [Theory]
    [InlineData(0, 500, 1_000)]
    [InlineData(8_000, 4_000, 8_000)]
    [InlineData(3_600_000, 15_000, 30_000)]
    public void Who_has_waited_long_asks_seldom(long waited, long least, long most)
    {
        Assert.Equal(least, DestinationLanes.Pause(waited, 0));
        Assert.Equal(most, DestinationLanes.Pause(waited, 1));
    }

    [Fact]
    public void Attempts_in_flight_are_counted()
    {
        var lanes = Lanes();
        var place = lanes.TryEnter("https://a.example");
        Assert.Equal(1, lanes.InFlight);
        place!.Value.Leave(answered: true);
        Assert.Equal(0, lanes.InFlight);
    }

    [Fact]
    public async Task One_that_finds_the_lane_full_waits_for_a_place_of_a_host_that_answers()
    {
        var lanes = Lanes(toOne: 2);
        var held = Fill(lanes, Url);
        held[0].Leave(answered: true);
        held[0] = lanes.TryEnter(Url)!.Value;
        var waiting = Enumerable.Range(0, 6).Select(_ => lanes.EnterAsync(Url, TestContext.Current.CancellationToken).AsTask()).ToList();
        Assert.DoesNotContain(waiting, task => task.IsCompleted);

        held.ForEach(place => place.Leave(answered: true));
        while (waiting.Count > 0)
        {
            var next = await Task.WhenAny(waiting);
            waiting.Remove(next);
            Assert.InRange(lanes.InFlight, 1, 2);
            (await next)!.Value.Leave(answered: true);
        }
        Assert.Equal(0, lanes.InFlight);
    }

    [Fact]
    public async Task Of_a_host_that_gives_no_response_nobody_waits_for_long()
    {
        var lanes = Lanes(toOne: 2);
        Fill(lanes, Url);
        Assert.Null(await lanes.EnterAsync(Url, TestContext.Current.CancellationToken));
        Assert.True(lanes.EnterAsync(Url, TestContext.Current.CancellationToken).AsTask().IsCompleted);
    }

    [Fact]
    public async Task No_more_wait_than_there_is_room_for()
    {
        var lanes = Lanes(toOne: 2);
        var held = Fill(lanes, Url);
        var waiting = Enumerable.Range(0, DestinationLanes.MostWaiting).Select(_ => lanes.EnterAsync(Url, TestContext.Current.CancellationToken).AsTask()).ToList();
        var beyond = lanes.EnterAsync(Url, TestContext.Current.CancellationToken).AsTask();
        Assert.True(beyond.IsCompleted);
        Assert.Null(await beyond);

        held.ForEach(place => place.Leave(answered: true));
        foreach (var each in waiting)
            (await each)?.Leave(answered: true);
    }
}
