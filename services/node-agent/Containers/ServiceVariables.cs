using System.Globalization;
using Mesh.Api.Core.V1;

namespace Mesh.NodeAgent.Containers;

/// <summary>Variables that tell a container where services are: NAME_SERVICE_HOST and the older link form NAME_PORT_80_TCP_ADDR.</summary>
internal static class ServiceVariables
{
    private const string MasterNamespace = "default";
    private const string MasterService = "kubernetes";

    /// <summary>The pod's namespace's services (when links are wanted) and always the API's own.</summary>
    public static Dictionary<string, string> For(string podNamespace, bool links, IEnumerable<Service> services)
    {
        var chosen = new SortedDictionary<string, Service>(StringComparer.Ordinal);
        foreach (var service in services)
        {
            if (service.Spec?.ClusterIP is not { Length: > 0 } ip || ip == "None")
                continue;
            var name = service.Metadata.Name!;
            if (links && service.Metadata.Namespace == podNamespace)
                chosen[name] = service;
            else if (name == MasterService && service.Metadata.Namespace == MasterNamespace)
                chosen.TryAdd(name, service);
        }

        var variables = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var service in chosen.Values)
            Add(variables, service);
        return variables;
    }

    private static void Add(Dictionary<string, string> variables, Service service)
    {
        var name = VariableName(service.Metadata.Name!);
        var ip = service.Spec!.ClusterIP!;
        var host = ip.Contains(':', StringComparison.Ordinal) ? $"[{ip}]" : ip;
        variables[name + "_SERVICE_HOST"] = ip;
        if (service.Spec.Ports is not { Count: > 0 } ports)
            return;
        variables[name + "_SERVICE_PORT"] = Number(ports[0].Port);
        foreach (var port in ports)
            if (port.Name is { Length: > 0 } portName)
                variables[$"{name}_SERVICE_PORT_{VariableName(portName)}"] = Number(port.Port);

        for (var i = 0; i < ports.Count; i++)
        {
            var port = ports[i];
            var protocol = port.Protocol is { Length: > 0 } p ? p : "TCP";
            var url = $"{protocol.ToLowerInvariant()}://{host}:{Number(port.Port)}";
            var prefix = $"{name}_PORT_{Number(port.Port)}_{protocol.ToUpperInvariant()}";
            if (i == 0)
                variables[name + "_PORT"] = url;
            variables[prefix] = url;
            variables[prefix + "_PROTO"] = protocol.ToLowerInvariant();
            variables[prefix + "_PORT"] = Number(port.Port);
            variables[prefix + "_ADDR"] = ip;
        }
    }

    private static string VariableName(string name) => name.Replace('-', '_').ToUpperInvariant();

    private static string Number(int? port) => (port ?? 0).ToString(CultureInfo.InvariantCulture);
}
