using System.Text.Json.Nodes;
using Mesh.Api;

namespace Mesh.Gateway.Registry.Kinds.Network;

/// <summary>
/// Takes cluster IPs and node ports for Services. Taking is atomic in the reservation store, so any number of gateways never
/// give one value twice; what a failed request took is given back by its reservation.
/// </summary>
internal sealed class ServiceAllocator(ServiceNetwork network, Random random)
{
    /// <summary>Name of the set of taken cluster IPs.</summary>
    public const string IpRange = "serviceips";

    /// <summary>Name of the set of taken node ports.</summary>
    public const string PortRange = "servicenodeports";

    // Random tries before the whole range is read to find a free value.
    private const int Tries = 16;

    /// <summary>Takes what obj needs and writes it there; on commit what old held and obj does not is released.</summary>
    /// <exception cref="ApiException">422 when a wanted value is taken or out of range, 500 when a range is full.</exception>
    public async ValueTask<IReservation> ReserveAsync(JsonObject? obj, JsonObject? old, IReservationStore store, CancellationToken ct)
    {
        var taken = new Taken(store, Held(old));
        try
        {
            if (obj is not null)
            {
                var owner = obj.Namespace() + "/" + obj.Name();
                await ReserveIpAsync(obj, owner, taken, ct);
                await ReservePortsAsync(obj, owner, taken, ct);
                taken.KeepOnCommit(Held(obj));
            }

            return taken;
        }
        catch
        {
            await taken.RollbackAsync(CancellationToken.None);
            throw;
        }
    }

    /// <summary>Takes what Services hold and nobody has taken; gives what is taken and no Service holds, with its owner.</summary>
    public static async Task<HashSet<(string Range, string Value, string Owner)>> CompareAsync(IEnumerable<JsonObject> services, IReservationStore store, CancellationToken ct)
    {
        var held = new Dictionary<(string, string), string>();
        foreach (var service in services)
        {
            foreach (var value in Held(service))
                held[value] = service.Namespace() + "/" + service.Name();
        }

        var unheld = new HashSet<(string, string, string)>();
        foreach (var range in new[] { IpRange, PortRange })
        {
            var taken = await store.ListAsync(range, ct);
            foreach (var ((_, value), owner) in held.Where(h => h.Key.Item1 == range && !taken.ContainsKey(h.Key.Item2)))
                await store.TryTakeAsync(range, value, owner, ct);
            unheld.UnionWith(taken.Where(t => !held.ContainsKey((range, t.Key))).Select(t => (range, t.Key, t.Value)));
        }

        return unheld;
    }

    private static HashSet<(string Range, string Value)> Held(JsonObject? service)
    {
        var held = new HashSet<(string, string)>();
        var spec = service.Obj("spec");
        foreach (var ip in spec.Strings("clusterIPs").Where(Check.IsIp))
            held.Add((IpRange, ip));
        foreach (var (_, port) in spec.Items("ports"))
        {
            if (port.Num("nodePort") is > 0 and var number)
                held.Add((PortRange, number.ToString()!));
        }

        if (spec.Num("healthCheckNodePort") is > 0 and var health)
            held.Add((PortRange, health.ToString()!));
        return held;
    }

    private async ValueTask ReserveIpAsync(JsonObject service, string owner, Taken taken, CancellationToken ct)
    {
        var spec = service.Ensure("spec");
        if (!ServiceStrategy.NeedsClusterIp(spec))
            return;
        var wanted = spec.Str("clusterIP");
        if (wanted.Length == 0)
        {
            wanted = await TakeFreeAsync(IpRange, owner, taken, network.StaticBand, network.Size, network.Address, ct)
                ?? throw Statuses.InternalError("failed to allocate a serviceIP: range is full").ToException();
            spec["clusterIP"] = wanted;
            spec["clusterIPs"] = new JsonArray(wanted);
            return;
        }

        if (!Check.IsIp(wanted) || taken.WasHeld(IpRange, wanted))
            return; // validation reports what is no address
        var refusal = !network.Contains(wanted)
            ? $"the provided IP ({wanted}) is not in the valid range. The range of valid IPs is {network.Cidr}"
            : await taken.TryTakeAsync(IpRange, wanted, owner, ct) ? null : "provided IP is already allocated";
        if (refusal is not null)
            throw Refuse(service, FieldError.Invalid("spec.clusterIPs", spec["clusterIPs"], $"failed to allocate IP {wanted}: {refusal}"));
    }

    private async ValueTask ReservePortsAsync(JsonObject service, string owner, Taken taken, CancellationToken ct)
    {
        var spec = service.Ensure("spec");
        if (ServiceStrategy.NeedsNodePort(spec))
        {
            // The same port over several protocols shares one node port.
            var byPort = new Dictionary<long, long>();
            var seen = new HashSet<(long, string)>();
            foreach (var (i, port) in spec.Items("ports"))
            {
                var number = port.Num("port") ?? 0;
                var wanted = port.Num("nodePort") ?? 0;
                if (seen.Add((number, port.Str("protocol"))) && wanted == 0 && byPort.TryGetValue(number, out var shared))
                    wanted = shared;
                wanted = await TakePortAsync(service, new FieldPath("spec.ports").Index(i).Child("nodePort"), wanted, owner, taken, ct);
                port["nodePort"] = wanted;
                byPort.TryAdd(number, wanted);
            }
        }

        if (ServiceStrategy.NeedsHealthPort(spec))
            spec["healthCheckNodePort"] = await TakePortAsync(service, "spec.healthCheckNodePort", spec.Num("healthCheckNodePort") ?? 0, owner, taken, ct);
    }

    private async ValueTask<long> TakePortAsync(JsonObject service, FieldPath path, long wanted, string owner, Taken taken, CancellationToken ct)
    {
        var (first, last) = (network.FirstNodePort, network.LastNodePort);
        if (wanted == 0)
        {
            var size = last - first + 1;
            var band = size < 16 ? 0 : Math.Clamp(size / 32, 16, 128);
            var free = await TakeFreeAsync(PortRange, owner, taken, band, size, place => (first + place - 1).ToString(), ct);
            return long.Parse(free ?? throw Statuses.InternalError("failed to allocate a nodePort: range is full").ToException());
        }

        if (taken.WasHeld(PortRange, wanted.ToString()))
            return wanted;
        if (wanted < first || wanted > last)
            throw Refuse(service, FieldError.Invalid(path, wanted, $"provided port is not in the valid range. The range of valid ports is {first}-{last}"));
        if (!await taken.TryTakeAsync(PortRange, wanted.ToString(), owner, ct))
            throw Refuse(service, FieldError.Invalid(path, wanted, "provided port is already allocated"));
        return wanted;
    }

    private async ValueTask<string?> TakeFreeAsync(string range, string owner, Taken taken, int band, int size, Func<int, string> at, CancellationToken ct)
    {
        // Places 1..size; those up to band only when nothing else is free.
        for (var i = 0; i < Tries && band < size; i++)
        {
            var value = at(random.Next(band + 1, size + 1));
            if (await taken.TryTakeNewAsync(range, value, owner, ct))
                return value;
        }

        var used = await taken.Store.ListAsync(range, ct);
        foreach (var place in Enumerable.Range(band + 1, size - band).Concat(Enumerable.Range(1, band)))
        {
            var value = at(place);
            if (!used.ContainsKey(value) && await taken.TryTakeNewAsync(range, value, owner, ct))
                return value;
        }

        return null;
    }

    private static ApiException Refuse(JsonObject service, FieldError error) => Statuses.Invalid(string.Empty, "Service", service.Name(), [error]).ToException();

    /// <summary>What one request took, and what the object it replaces held.</summary>
    private sealed class Taken(IReservationStore store, HashSet<(string Range, string Value)> before) : IReservation
    {
        private readonly List<(string Range, string Value)> fresh = [];
        private HashSet<(string, string)> after = [];

        public IReservationStore Store => store;

        public bool WasHeld(string range, string value) => before.Contains((range, value));

        public void KeepOnCommit(HashSet<(string, string)> values) => after = values;

        public async ValueTask<bool> TryTakeAsync(string range, string value, string owner, CancellationToken ct)
        {
            if (fresh.Contains((range, value)))
                return true;
            if (!await store.TryTakeAsync(range, value, owner, ct))
                return false;
            fresh.Add((range, value));
            return true;
        }

        // A value for a place that has none yet must not be one the same Service already uses.
        public async ValueTask<bool> TryTakeNewAsync(string range, string value, string owner, CancellationToken ct) =>
            !fresh.Contains((range, value)) && !WasHeld(range, value) && await TryTakeAsync(range, value, owner, ct);

        public async ValueTask CommitAsync(CancellationToken ct)
        {
            foreach (var (range, value) in before.Where(v => !after.Contains(v)))
                await store.ReleaseAsync(range, value, ct);
        }

        public async ValueTask RollbackAsync(CancellationToken ct)
        {
            foreach (var (range, value) in fresh.Where(v => !before.Contains(v)))
                await store.ReleaseAsync(range, value, ct);
        }
    }
}
