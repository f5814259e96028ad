using System.Text;
using CsCheck;
using FuncStash.Cli.Moving;

namespace FuncStash.Cli.Tests.Moving;

public sealed class InventoryFileTests
{
    // Texts that YAML could take for something else.
    private static readonly string[] s_odd =
    [
        "yes", "null", "~", "1e3", "0x1F", "2026-01-01", " a", "a ", "a: b", "- a", "---", "...", "<<", "=", "😀", "\uFEFF", "!!str x", "on", "Null", ".5", "1_000",
    ];

    private static readonly Gen<string> s_text = Gen.OneOf(
        Gen.String[Gen.Char["aZ09 :-#\n\r\t\"'\\{}[]&*!|>%@`~,?=\u0000\u001b\u0085\u2028ß😀"[..^2]], 0, 30],
        Gen.Int[0, s_odd.Length - 1].Select(n => s_odd[n]));

    [Fact]
    public void Whatever_a_schedule_says_it_says_after_it_was_written_and_read() =>
        Gen.Select(s_text, s_text, s_text).Sample(
            (body, header, label) =>
            {
                var inventory = Canonical.Of(new Inventory
                {
                    Schedules = [new() { Id = "one", Cron = "0 4 * * *", Destination = "https://example.com/a?b=c#d", Body = body, Headers = new() { ["X-Header"] = header }, Labels = [label] }],
                });

                var read = InventoryFile.Read(Encoding.UTF8.GetBytes(InventoryFile.Write(inventory)));

                Assert.Equal((inventory.Schedules[0].Body, header, label), (read.Schedules[0].Body, read.Schedules[0].Headers!["X-Header"], read.Schedules[0].Labels![0]));
                Assert.Empty(Difference.Between(inventory, read).Changes);
            },
            iter: 2000);

    [Theory]
    [InlineData("schedules:\n- id: a\n  cron: 0 4 * * *\n  destination: x\n  retires: 3\n", "line 5", "retires")]
    [InlineData("schedules: 5\n", "line 1", "")]
    [InlineData("schedules:\n- id: a\n  id: b\n", "line 3", "id")]
    [InlineData("schedules:\n- cron: 0 4 * * *\n", "has no id", "")]
    [InlineData("schedules:\n- {id: a, cron: 0 4 * * *, destination: x}\n- {id: a, cron: 0 4 * * *, destination: x}\n", "twice", "a")]
    [InlineData("schedules:\n- {id: a, cron: 0 4 * * *, destination: x, delay: soon}\n", "soon", "duration")]
    [InlineData("schedules:\n- {id: a, cron: 0 4 * * *, destination: x, bodyBase64: '%'}\n", "base64", "a")]
    [InlineData("schedules:\n- {id: a, destination: x}\n", "cron", "a")]
    [InlineData("urlGroups:\n- {name: g}\n", "endpoints", "g")]
    [InlineData("queues:\n- {name: q, parallelism: 0}\n", "parallelism", "q")]
    [InlineData("queues:\n-\n", "name", "")]
    [InlineData("queues:\n- {name: q, parallelism: many}\n", "line 2", "'many'")]
    [InlineData("queues:\n- {name: q, parallelism: 99999999999}\n", "line 2", "'99999999999'")]
    [InlineData("queues:\n- {name: q, parallelism: {a: 1}}\n", "line 2", "{a: 1}")]
    [InlineData("queues:\n- {name: q, parallelism: }\n", "line 2", "parallelism")]
    [InlineData("queues:\n- {name: [q]}\n", "line 2", "[q]")]
    [InlineData("queues:\n- q\n", "line 2", "")]
    [InlineData("queues: {name: q}\n", "line 1", "{name: q}")]
    [InlineData("queues:\n- {name: q}\nqueues:\n- {name: r}\n", "line 3", "twice")]
    [InlineData("queues:\n- *gone\n", "line 2", "gone")]
    [InlineData("schedules:\n- {id: a, callback: http://x}\n", "line 2", "callback")]
    [InlineData("schedules:\n- {id: a, headers: {x: [y]}}\n", "line 2", "[y]")]
    [InlineData("schedules:\n- {id: a, paused: maybe}\n", "line 2", "'maybe'")]
    [InlineData("- queues\n", "line 1", "")]
    [InlineData("5\n", "line 1", "schedules:")]
    [InlineData("queues: []\n---\nqueues: []\n", "line 2", "second")]
    [InlineData("a: [", "line", "")]
    public void What_a_file_cannot_say_is_told_with_its_place(string yaml, string one, string other)
    {
        var wrong = Assert.Throws<UsageException>(() => InventoryFile.Read(Encoding.UTF8.GetBytes(yaml)));

        Assert.Contains(one, wrong.Message, StringComparison.Ordinal);
        Assert.Contains(other, wrong.Message, StringComparison.Ordinal);
        Assert.DoesNotMatch("System|FuncStash|Yaml|object|type", wrong.Message);
    }

    [Theory]
    [InlineData("")]
    [InlineData("# nothing yet\n")]
    [InlineData("---\n...\n")]
    public void An_empty_file_says_nothing(string yaml) => Assert.Empty(InventoryFile.Read(Encoding.UTF8.GetBytes(yaml)).Schedules);

    [Fact]
    public void The_same_said_otherwise_is_the_same()
    {
        var one = InventoryFile.Read("schedules: [{id: a, cron: ' 0 4 * * *', destination: x, method: post, retries: 3, delay: 90, headers: {x-tenant: a}, bodyBase64: aGVsbG8=, labels: []}]"u8.ToArray());
        var other = InventoryFile.Read("schedules: [{id: a, cron: 0 4 * * *, destination: x, delay: 1m30s, headers: {X-Tenant: a}, body: hello, paused: false}]"u8.ToArray());

        Assert.Equal([], Difference.Between(one, other).Changes.SelectMany(change => change.Fields).Select(field => field.Name).Where(name => name != "headers"));
    }
}
