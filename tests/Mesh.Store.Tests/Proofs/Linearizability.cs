namespace Mesh.Store.Tests.Proofs;

/// <summary>
/// Whether a history of one register a key could have come from a store that does one thing at a time: Wing and Gong's search with Lowe's memory of
/// (done, state) pairs, key by key (linearizability is local, so the keys may be looked at alone).
/// Kinds: "put" (Argument), "delete", "get" (Value, Revision), "cas" (Argument if the revision is Expected; Succeeded).
/// </summary>
internal static class Linearizability
{
    /// <summary>Null when it could, else why not.</summary>
    public static string? Check(IEnumerable<Operation> history)
    {
        if (Order(history) is { } disorder) return disorder;
        foreach (var key in history.GroupBy(o => o.Key))
        {
            if (!Holds([.. key])) return $"the operations of {key.Key} have no order";
        }

        return null;
    }

    /// <summary>Revisions are in the order of time: a write that began after another was answered has a greater one, and no two are the same.</summary>
    private static string? Order(IEnumerable<Operation> history)
    {
        var writes = history.Where(o => o.Answered && o.Kind != "get" && o is { Succeeded: true, Revision: > 0 }).ToList();
        var twice = writes.GroupBy(o => o.Revision).FirstOrDefault(g => g.Count() > 1);
        if (twice is not null) return $"revision {twice.Key} was given twice";
        var byEnd = writes.OrderBy(o => o.End).ToList();
        long newest = 0;
        var ended = 0;
        foreach (var write in writes.OrderBy(o => o.Start))
        {
            for (; ended < byEnd.Count && byEnd[ended].End < write.Start; ended++) newest = Math.Max(newest, byEnd[ended].Revision);
            if (write.Revision <= newest) return $"revision {write.Revision} after {newest}";
        }

        return null;
    }

    private static bool Holds(List<Operation> operations)
    {
        // Reads that nobody heard the answer of say nothing.
        var all = operations.Where(o => o.Answered || o.Kind != "get").OrderBy(o => o.Start).ToArray();
        // Likely ones first: what was answered soonest. The stack gives out what was pushed last.
        var order = Enumerable.Range(0, all.Length).OrderByDescending(i => all[i].End).ToArray();
        var seen = new HashSet<(string Done, State State)>();
        var stack = new Stack<(bool[] Done, State State)>();
        stack.Push((new bool[all.Length], default));
        while (stack.TryPop(out var at))
        {
            // Whatever began before the first answer that is still to come may be next.
            var horizon = long.MaxValue;
            for (var i = 0; i < all.Length; i++)
            {
                if (!at.Done[i]) horizon = Math.Min(horizon, all[i].End);
            }

            if (horizon == long.MaxValue) return true; // only unanswered ones are left, and those need not have happened
            foreach (var i in order)
            {
                if (at.Done[i] || all[i].Start > horizon || !Step(all[i], at.State, out var next)) continue;
                var done = (bool[])at.Done.Clone();
                done[i] = true;
                if (seen.Add((Compress(done), next))) stack.Push((done, next));
            }
        }

        return all.Length == 0;
    }

    /// <summary>The state after the operation; false when its answer does not fit the state before. Unknown revisions are -1 until somebody has read them.</summary>
    private static bool Step(Operation o, State state, out State next)
    {
        next = state;
        switch (o.Kind)
        {
            case "get":
                if (o.Value != state.Value) return false;
                if (o.Value is null) return true;
                next = state with { Revision = o.Revision };
                return state.Revision == o.Revision || state.Revision == -1;
            case "put":
                next = new State(o.Argument, o.Answered ? o.Revision : -1);
                return !o.Answered || o.Revision > state.Revision;
            case "delete":
                next = default;
                return true;
            case "cas":
                var holds = state.Value is null ? o.Expected == 0 : o.Expected == state.Revision || (state.Revision == -1 && o.Expected != 0);
                if (!o.Answered)
                {
                    if (holds) next = new State(o.Argument, -1);
                    return holds;
                }

                if (o.Succeeded) next = new State(o.Argument, o.Revision);
                return o.Succeeded ? holds : !holds || state.Revision == -1;
            default:
                throw new ArgumentException("unknown operation " + o.Kind, nameof(o));
        }
    }

    private static string Compress(bool[] done)
    {
        var chars = new char[(done.Length + 15) / 16];
        for (var i = 0; i < done.Length; i++)
        {
            if (done[i]) chars[i / 16] |= (char)(1 << (i % 16));
        }

        return new string(chars);
    }

    private readonly record struct State(string? Value, long Revision);
}
