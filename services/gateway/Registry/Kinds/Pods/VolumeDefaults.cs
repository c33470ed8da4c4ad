using System.Text.Json.Nodes;

namespace Mesh.Gateway.Registry.Kinds.Pods;

/// <summary>Defaults of a pod's volumes.</summary>
internal static class VolumeDefaults
{
    private const int FileMode = 420; // 0644

    public static void Volume(JsonObject volume)
    {
        if (volume.All(p => p.Key == "name" || p.Value is null))
            volume["emptyDir"] = new JsonObject();

        foreach (var name in new[] { "secret", "configMap", "downwardAPI", "projected" })
            volume.Obj(name)?.Default("defaultMode", FileMode);
        DownwardItems(volume.Obj("downwardAPI"));
        foreach (var (_, source) in volume.Obj("projected").Items("sources"))
        {
            source.Obj("serviceAccountToken")?.Default("expirationSeconds", 3600);
            DownwardItems(source.Obj("downwardAPI"));
        }

        Shared(volume);
        volume.Obj("image")?.Default("pullPolicy", ImageReference.Tag(volume.Obj("image").Str("reference")) == "latest" ? "Always" : "IfNotPresent");
        if (volume.Obj("ephemeral", "volumeClaimTemplate") is { } template)
            Storage.PersistentVolumeClaimStrategy.DefaultClaim(template);
    }

    /// <summary>Defaults of the sources that pods' volumes and PersistentVolumes have in common.</summary>
    public static void Shared(JsonObject volume)
    {
        if (volume.Obj("hostPath") is { } hostPath && hostPath["type"] is null)
            hostPath["type"] = string.Empty;
        volume.Obj("iscsi")?.Default("iscsiInterface", "default");
        if (volume.Obj("rbd") is { } rbd)
        {
            rbd.Default("pool", "rbd");
            rbd.Default("user", "admin");
            rbd.Default("keyring", "/etc/ceph/keyring");
        }

        if (volume.Obj("azureDisk") is { } azure)
        {
            azure.Default("cachingMode", "ReadWrite");
            azure.Default("kind", "Shared");
            azure.Default("fsType", "ext4");
            azure.Default("readOnly", false);
        }

        volume.Obj("scaleIO")?.Default("storageMode", "ThinProvisioned");
        volume.Obj("scaleIO")?.Default("fsType", "xfs");
    }

    private static void DownwardItems(JsonObject? source)
    {
        foreach (var (_, item) in source.Items("items"))
        {
            item.Obj("fieldRef")?.Default("apiVersion", "v1");
            item.Obj("resourceFieldRef")?.Default("divisor", "0");
        }
    }
}
