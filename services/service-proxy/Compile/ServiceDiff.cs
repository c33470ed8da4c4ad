using Mesh.ServiceProxy.Model;

namespace Mesh.ServiceProxy.Compile;

/// <summary>The difference of two compilations of one service, port by port.</summary>
internal static class ServiceDiff
{
    public static void Append(IReadOnlyList<VirtualPort> before, IReadOnlyList<VirtualPort> after, List<VirtualPortChange> changes)
    {
        foreach (var old in before)
        {
            if (!after.Any(p => Same(p, old)))
                changes.Add(new(old, null));
        }

        foreach (var now in after)
        {
            var old = before.FirstOrDefault(p => Same(p, now));
            if (old != now)
                changes.Add(new(old, now));
        }
    }

    // A port may keep its name and change its protocol: that is another port to the data plane.
    private static bool Same(VirtualPort a, VirtualPort b) => a.Name == b.Name && a.Transport == b.Transport && a.Port == b.Port;
}
