using ArchUnitNET.Domain;
using ArchUnitNET.Loader;
using Assembly = System.Reflection.Assembly;

namespace FuncStash.Tests.Architecture;

public sealed class ArchitectureTests
{
    private const string Root = "FuncStash";

    private static readonly Assembly s_service = typeof(FuncStashServices).Assembly;

    private static readonly ArchUnitNET.Domain.Architecture s_architecture = new ArchLoader().LoadAssemblies(s_service).Build();

    [Fact]
    public void Every_room_has_a_floor_and_every_floor_its_rooms() =>
        Assert.Equal(Floors.FromTheGround.SelectMany(rooms => rooms).Order(), Rooms().Order());

    [Fact]
    public void A_room_uses_only_rooms_of_lower_floors()
    {
        var floors = Floors.FromTheGround.SelectMany((rooms, floor) => rooms.Select(room => (room, floor)))
            .ToDictionary(pair => pair.room, pair => pair.floor);
        var wrong = Uses().Where(use => floors[use.To] >= floors[use.From]).ToList();
        Assert.True(wrong.Count == 0, string.Join('\n', wrong.Select(use =>
            $"{use.From} (floor {floors[use.From]}) uses {use.To} (floor {floors[use.To]}): {use.Where}")));
    }

    /// <summary>Holds whatever the table says: each room can be understood after the rooms it uses.</summary>
    [Fact]
    public void No_rooms_use_each_other_in_a_circle()
    {
        var left = Rooms().ToHashSet();
        var uses = Uses().ToLookup(use => use.From, use => use.To);
        while (left.FirstOrDefault(room => !uses[room].Any(left.Contains)) is { } next)
            left.Remove(next);
        Assert.True(left.Count == 0, $"a circle runs through {string.Join(", ", left.Order())}");
    }

    [Fact]
    public void A_namespace_is_a_folder()
    {
        var wrong = Types().Where(type => RoomOf(type).Contains('.', StringComparison.Ordinal)).Select(type => type.FullName);
        Assert.Empty(wrong);
    }

    private static IEnumerable<string> Rooms() => Types().Select(RoomOf).Distinct();

    private static IEnumerable<(string From, string To, string Where)> Uses() =>
        from type in Types()
        from target in type.Dependencies.Select(dependency => dependency.Target).Where(IsOurs).Distinct()
        where RoomOf(target) != RoomOf(type)
        group $"{type.Name} uses {target.Name}" by (From: RoomOf(type), To: RoomOf(target)) into uses
        select (uses.Key.From, uses.Key.To, string.Join(", ", uses.Distinct()));

    private static IEnumerable<IType> Types() => s_architecture.Types.Where(IsOurs);

    // Type parameters of generated code are taken for types, of whatever namespace was read last.
    private static bool IsOurs(IType type) =>
        type is not GenericParameter && type.Namespace?.FullName is { } name
        && (name == Root || name.StartsWith(Root + ".", StringComparison.Ordinal));

    private static string RoomOf(IType type) =>
        type.Namespace.FullName == Root ? "(root)" : type.Namespace.FullName[(Root.Length + 1)..];
}
