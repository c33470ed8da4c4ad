using Mesh.Store.Mvcc;
using Mesh.Store.Snapshots;

namespace Mesh.Store.Tests.Support;

/// <summary>All state of a store, for comparing two of them.</summary>
internal static class WholeState
{
    /// <summary>The bytes of a whole snapshot now (index, revisions, every readable version, leases, alarms, access) and what watches find in the history, as text.</summary>
    public static async Task<string> StateAsync(this StoreEngine engine)
    {
        var capture = await engine.CaptureAsync();
        try
        {
            var history = new List<KeyVersion>();
            engine.Store.History.Read(capture.Header.CompactRevision, capture.Header.Revision, int.MaxValue, history);
            var attached = string.Join(' ', engine.Lessor.List().Select(id => $"{id}:{string.Join(',', engine.Lessor.Describe(id, keys: true)!.Value.Keys.Select(k => Kv.S(k)))}"));
            return $"{capture.Header}\n{engine.Dump()}\nleases {attached}\nhistory {string.Join(' ', history.Select(v => $"{v.ModRevision}.{v.Sub}:{Kv.S(v.Entry.Key)}{(v.IsTombstone ? "-" : "")}"))}\n{Convert.ToHexString(Bytes(capture))}";
        }
        finally
        {
            await engine.ReleaseAsync(capture);
        }
    }

    /// <summary>A capture as its file would be.</summary>
    public static byte[] Bytes(SnapshotCapture capture) => [.. SnapshotEncoder.Encode(capture).SelectMany(static chunk => chunk.ToArray())];
}
