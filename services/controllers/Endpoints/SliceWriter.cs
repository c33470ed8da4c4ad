using Mesh.Api;
using Mesh.Api.Discovery.V1;
using Mesh.Client;
using Mesh.Controllers.Framework;

namespace Mesh.Controllers.Endpoints;

/// <summary>Performs slice plans; knows which slices it made that the cache has not shown yet.</summary>
internal sealed class SliceWriter(IKubeClient client, Expectations expectations)
{
    internal async Task WriteAsync(ObjectKey key, SlicePlan plan, CancellationToken ct)
    {
        if (plan.Create.Count > 0) expectations.ExpectCreations(key, plan.Create.Count);
        var created = 0;
        try
        {
            foreach (var slice in plan.Create)
            {
                await client.CreateAsync(slice, ct).ConfigureAwait(false);
                created++;
            }
        }
        finally
        {
            if (created < plan.Create.Count) expectations.CreationObserved(key, plan.Create.Count - created);
        }

        foreach (var slice in plan.Update) await client.UpdateAsync(slice, ct).ConfigureAwait(false);
        foreach (var slice in plan.Delete)
        {
            try
            {
                await client.DeleteAsync<EndpointSlice>(slice.Metadata.Namespace, slice.Metadata.Name!, ct: ct).ConfigureAwait(false);
            }
            catch (ApiException e) when (e.IsNotFound)
            {
                // already gone
            }
        }
    }
}
