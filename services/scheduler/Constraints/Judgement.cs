using Mesh.Scheduler.Engine;

namespace Mesh.Scheduler.Constraints;

/// <summary>What constraints say of a pod: by slot, which rule refuses it (null: none does), and what the nodes that fit get on top of their scores (null: nothing).</summary>
internal sealed record Judgement(Refusal[]? Refusals, Func<Verdict[], long[]>? Bonus)
{
    /// <summary>The refusals as the engine takes them, a bit a slot that is allowed.</summary>
    public ulong[]? Allowed()
    {
        if (Refusals is null) return null;
        var bits = new ulong[(Refusals.Length / 64) + 1];
        for (var slot = 0; slot < Refusals.Length; slot++)
        {
            if (Refusals[slot] == Refusal.None) bits[slot >> 6] |= 1UL << (slot & 63);
        }

        return bits;
    }
}
