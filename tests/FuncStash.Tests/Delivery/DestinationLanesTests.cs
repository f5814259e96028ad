using FuncStash.Delivery;

namespace FuncStash.Tests.Delivery;

public sealed class DestinationLanesTests
{
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
        var lanes = new DestinationLanes();
        Assert.Equal(DestinationLanes.Wide, Fill(lanes, "https://slow.example/a").Count);
        Assert.Null(lanes.TryEnter("https://slow.example/b?x=1"));
        Assert.NotNull(lanes.TryEnter("https://other.example/a"));
        Assert.NotNull(lanes.TryEnter("https://slow.example:8443/a"));
    }

    [Fact]
    public void A_host_that_gives_no_response_gets_fewer_places_and_all_of_them_back_when_it_answers()
    {
        const string Url = "https://dead.example/a";
        var lanes = new DestinationLanes();
        Fill(lanes, Url).ForEach(place => place.Leave(answered: false));
        var narrow = Fill(lanes, Url);
        Assert.Equal(DestinationLanes.Narrow, narrow.Count);

        narrow.ForEach(place => place.Leave(answered: true));
        for (var i = 0; i < 10; i++)
            Fill(lanes, Url).ForEach(place => place.Leave(answered: true));
        Assert.Equal(DestinationLanes.Wide, Fill(lanes, Url).Count);
    }

    [Fact]
    public void Attempts_in_flight_are_counted()
    {
        var lanes = new DestinationLanes();
        var place = lanes.TryEnter("https://a.example");
        Assert.Equal(1, lanes.InFlight);
        place!.Value.Leave(answered: true);
        Assert.Equal(0, lanes.InFlight);
    }
}
