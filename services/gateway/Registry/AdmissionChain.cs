using Mesh.Api;
using Mesh.Gateway.Admission;

namespace Mesh.Gateway.Registry;

/// <summary>The admission plugins in their order.</summary>
internal sealed class AdmissionChain(IEnumerable<IAdmissionPlugin> plugins)
{
    private readonly IAdmissionPlugin[] plugins = [.. plugins];

    /// <summary>Whether any plugin cares: building attributes for nobody is work for nothing.</summary>
    public bool Handles(AdmissionOperation operation, ApiResource resource, string subresource)
    {
        foreach (var plugin in plugins)
        {
            if (plugin.Handles(operation, resource, subresource)) return true;
        }

        return false;
    }

    /// <summary>Lets every plugin change the object; whether any was asked.</summary>
    public async ValueTask<bool> AdmitAsync(AdmissionAttributes attributes, CancellationToken ct)
    {
        var asked = false;
        foreach (var plugin in plugins)
        {
            if (!plugin.Handles(attributes.Operation, attributes.Resource, attributes.Subresource)) continue;
            asked = true;
            await plugin.AdmitAsync(attributes, ct);
        }

        return asked;
    }

    /// <summary>Takes back what plugins did for an object that is not made; what fails there is set right by who counts later.</summary>
    public static async ValueTask UndoAsync(AdmissionAttributes attributes, CancellationToken ct)
    {
        foreach (var undo in attributes.Undo.Reverse())
        {
            try
            {
                await undo(ct);
            }
            catch (ApiException)
            {
                // The quota may be gone, or in many hands: its controller counts again.
            }
        }

        attributes.Undo.Clear();
    }

    /// <summary>Lets every plugin refuse.</summary>
    public async ValueTask ValidateAsync(AdmissionAttributes attributes, CancellationToken ct)
    {
        foreach (var plugin in plugins)
        {
            if (plugin.Handles(attributes.Operation, attributes.Resource, attributes.Subresource)) await plugin.ValidateAsync(attributes, ct);
        }
    }
}
