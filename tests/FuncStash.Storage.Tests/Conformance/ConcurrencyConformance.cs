using CsCheck;

namespace FuncStash.Storage.Tests.Conformance;

/// <summary>Writers that race, and random commits against a model of what the port promises.</summary>
public abstract class ConcurrencyConformance : StoreConformance
{
    /// <summary>How many random histories are tried; a store behind HTTP may want fewer.</summary>
    protected virtual int Histories => 100;

    [Fact]
    public async Task Of_parallel_inserts_of_one_key_one_wins()
    {
        var results = await Task.WhenAll(Enumerable.Range(0, 20).Select(i => CommitAsync("p", Insert("p", "r", i))));

        var winner = Assert.Single(Enumerable.Range(0, 20), i => results[i].Applied);
        Assert.Equal(winner, (await GetAsync("p", "r"))!.Number("N"));
    }

    [Fact]
    public async Task Of_parallel_replaces_of_one_version_one_wins()
    {
        var etag = (await CommitAsync("p", Insert("p", "r"))).ETags[0];
        for (var round = 1; round <= 5; round++)
        {
            var results = await Task.WhenAll(Enumerable.Range(0, 20)
                .Select(i => CommitAsync("p", new Write.Replace(Row("p", "r", ("N", (long)i)), etag))));

            var winner = Assert.Single(Enumerable.Range(0, 20), i => results[i].Applied);
            Assert.Equal(winner, (await GetAsync("p", "r"))!.Number("N"));
            etag = results[winner].ETags[0];
        }
    }

    [Fact]
    public async Task No_increment_by_compare_and_swap_is_lost()
    {
        await CommitAsync("p", Insert("p", "r", 0));

        await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => Task.Run(async () =>
        {
            for (var done = 0; done < 10;)
            {
                var read = (await GetAsync("p", "r"))!;
                var next = Row("p", "r", ("N", read.Number("N")!.Value + 1));
                if ((await CommitAsync("p", new Write.Replace(next, read.ETag!))).Applied)
                    done++;
            }
        })));

        Assert.Equal(80, (await GetAsync("p", "r"))!.Number("N"));
    }

    [Fact]
    public async Task Commits_in_flight_together_stand_or_fall_alone()
    {
        await CommitAsync("p", Insert("p", "taken"));

        var results = await Task.WhenAll(Enumerable.Range(0, 50).Select(i => i % 3 == 0
            ? CommitAsync("p", Insert("p", $"bad{i}"), Insert("p", "taken"))
            : CommitAsync("p", Insert("p", $"good{i}"), new Write.Upsert(Row("p", $"too{i}")))));

        Assert.All(results.Index(), r => Assert.Equal(r.Index % 3 == 0 ? 1 : null, r.Item.FailedWrite));
        Assert.Empty(await Tables.QueryAsync(Table, "p", RowRange.Prefix("bad"), 100, cancellation: Cancelled));
        Assert.Equal(33, (await Tables.QueryAsync(Table, "p", RowRange.Prefix("good"), 100, cancellation: Cancelled)).Count);
        Assert.Equal(33, (await Tables.QueryAsync(Table, "p", RowRange.Prefix("too"), 100, cancellation: Cancelled)).Count);
    }

    [Fact]
    public async Task Random_commits_do_what_the_model_says()
    {
        // Each step is a few writes (kind, row) to distinct rows; kind 0-1 insert, 2 upsert, 3-4 replace, 5-6 delete at
        // the right version, 7 replace and 8 delete at a stale one, 9 delete of any version.
        var writes = Gen.Select(Gen.Int[0, 9], Gen.Int[0, 5]).Array[1, 5]
            .Select(w => w.DistinctBy(x => x.Item2).ToArray());
        var run = 0;
        await writes.Array[1, 12].SampleAsync(async steps =>
        {
            var partition = $"p{Interlocked.Increment(ref run)}";
            var model = new SortedDictionary<string, (string ETag, long N)>(StringComparer.Ordinal);
            var stale = "stale";
            for (long n = 0; n < steps.Length; n++)
            {
                var step = steps[n].Select(w => Make(w.Item1, partition, $"r{w.Item2}", n, model, ref stale)).ToArray();
                var expected = Array.FindIndex(step, w => Conflicts(w, model));
                var result = await CommitAsync(partition, step);

                Assert.Equal(expected < 0 ? null : expected, result.FailedWrite);
                for (var i = 0; result.Applied && i < step.Length; i++)
                    if (step[i] is Write.Delete)
                        model.Remove(step[i].RowKey);
                    else
                        model[step[i].RowKey] = (result.ETags[i], n);
            }

            var rows = await Tables.QueryAsync(Table, partition, RowRange.Prefix(""), 100, cancellation: Cancelled);
            Assert.Equal(
                model.Select(m => (m.Key, m.Value.ETag, (long?)m.Value.N)),
                rows.Select(e => (e.RowKey, e.ETag!, e.Number("N"))));
        }, iter: Histories, threads: 1);
    }

    private static Write Make(
        int kind, string partition, string row, long n,
        SortedDictionary<string, (string ETag, long N)> model, ref string stale)
    {
        var now = model.TryGetValue(row, out var held) ? held.ETag : null;
        var old = stale == "stale" || stale == now ? null : stale;
        stale = now ?? stale;
        return kind switch
        {
            0 or 1 => Insert(partition, row, n),
            3 or 4 when now is not null => new Write.Replace(Row(partition, row, ("N", n)), now),
            5 or 6 when now is not null => new Write.Delete(row, now),
            7 when old is not null => new Write.Replace(Row(partition, row, ("N", n)), old),
            8 when old is not null => new Write.Delete(row, old),
            9 => new Write.Delete(row, null),
            _ => new Write.Upsert(Row(partition, row, ("N", n))),
        };
    }

    private static bool Conflicts(Write write, SortedDictionary<string, (string ETag, long N)> model)
    {
        var there = model.TryGetValue(write.RowKey, out var held);
        return write switch
        {
            Write.Insert => there,
            Write.Replace replace => !there || held.ETag != replace.ETag,
            Write.Delete delete => !there || (delete.ETag is not null && held.ETag != delete.ETag),
            _ => false,
        };
    }
}
