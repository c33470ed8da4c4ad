using System.Text.Json.Nodes;
using Mesh.Api;
using Mesh.Api.Meta.V1;

namespace Mesh.Controllers.Framework;

/// <summary>Owner references: who controls an object, how one is adopted and let go.</summary>
internal static class Owners
{
    internal static OwnerReference? ControllerOf(IKubeObject obj) => obj.Metadata.OwnerReferences?.Find(r => r.Controller == true);

    internal static bool IsControlledBy(IKubeObject obj, IKubeObject owner) => ControllerOf(obj)?.Uid == owner.Metadata.Uid;

    internal static OwnerReference ControllerReference(IKubeObject owner) => new()
    {
        ApiVersion = owner.ApiVersion,
        Kind = owner.Kind,
        Name = owner.Metadata.Name,
        Uid = owner.Metadata.Uid,
        Controller = true,
        BlockOwnerDeletion = true,
    };

    /// <summary>A strategic patch that makes the owner the object's controller; the uid guards against a namesake.</summary>
    internal static byte[] AdoptPatch(IKubeObject owner, IKubeObject obj, string? finalizer = null) => Patch(obj, new JsonObject
    {
        ["apiVersion"] = owner.ApiVersion,
        ["kind"] = owner.Kind,
        ["name"] = owner.Metadata.Name,
        ["uid"] = owner.Metadata.Uid,
        ["controller"] = true,
        ["blockOwnerDeletion"] = true,
    }, finalizer);

    /// <summary>A strategic patch that takes the owner off the object.</summary>
    internal static byte[] ReleasePatch(IKubeObject owner, IKubeObject obj) => Patch(obj, new JsonObject
    {
        ["$patch"] = "delete",
        ["uid"] = owner.Metadata.Uid,
    });

    private static byte[] Patch(IKubeObject obj, JsonObject reference, string? finalizer = null)
    {
        var metadata = new JsonObject { ["uid"] = obj.Metadata.Uid, ["ownerReferences"] = new JsonArray(reference) };
        if (finalizer is not null && obj.Metadata.Finalizers?.Contains(finalizer) != true) metadata["finalizers"] = new JsonArray(finalizer);
        return Json.Bytes(new JsonObject { ["metadata"] = metadata });
    }
}

/// <summary>Small JSON helpers.</summary>
internal static class Json
{
    internal static byte[] Bytes(JsonNode node) => System.Text.Encoding.UTF8.GetBytes(node.ToJsonString());
}
