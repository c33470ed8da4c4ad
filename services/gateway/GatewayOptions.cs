using System.ComponentModel;

namespace Mesh.Gateway;

/// <summary>Settings of a gateway.</summary>
public sealed class GatewayOptions
{
    /// <summary>Where it listens; several separated by commas.</summary>
    [Description("addresses to serve on: https://*:6443, inproc://gateway; several by commas")]
    public string Listen { get; set; } = "https://*:6443";

    /// <summary>The store's endpoints.</summary>
    [Description("etcd v3 endpoints of the store: https://host:2379, unix:///path, inproc://store; several by commas")]
    public string Store { get; set; } = "https://127.0.0.1:2379";

    /// <summary>Authorities of the store's certificates.</summary>
    [Description("authorities of the store's certificates; default etcd/ca.crt of the PKI directory")]
    public string StoreCaFile { get; set; } = "";

    /// <summary>PEM certificate shown to the store.</summary>
    [Description("certificate shown to the store; default apiserver-etcd-client.crt of the PKI directory")]
    public string StoreCertFile { get; set; } = "";

    /// <summary>Its key.</summary>
    [Description("key of the certificate shown to the store; default apiserver-etcd-client.key of the PKI directory")]
    public string StoreKeyFile { get; set; } = "";

    /// <summary>Directory of certificates and keys as meshadm and `./mesh up` lay them out; the other paths default to files in it.</summary>
    [Description("directory of certificates and keys (ca.crt, apiserver.crt, sa.key, ...)")]
    public string PkiDir { get; set; } = "";

    /// <summary>PEM certificate served.</summary>
    [Description("serving certificate; default apiserver.crt of the PKI directory")]
    public string TlsCertFile { get; set; } = "";

    /// <summary>Its key.</summary>
    [Description("serving key; default apiserver.key of the PKI directory")]
    public string TlsKeyFile { get; set; } = "";

    /// <summary>Authorities of client certificates.</summary>
    [Description("authorities whose client certificates are users; default ca.crt of the PKI directory")]
    public string ClientCaFile { get; set; } = "";

    /// <summary>Token file: token,user,uid,"group,group" a line.</summary>
    [Description("file of static tokens: token,user,uid,\"group1,group2\"")]
    public string TokenFile { get; set; } = "";

    /// <summary>Whether requests without credentials are the user system:anonymous.</summary>
    [Description("whether requests without credentials are system:anonymous")]
    public bool AnonymousAuth { get; set; } = true;

    /// <summary>Kafka brokers for the change feed; empty: the bus that the host shares, or no feed.</summary>
    [Description("Kafka brokers (host:port,...) that the change feed is published to (topic mesh.changes)")]
    public string Kafka { get; set; } = "";

    /// <summary>Redis that several gateways share; empty: each remembers for itself.</summary>
    [Description("Redis that gateways share checked tokens, decisions and API documents through: host:port,password=...,ssl=true; they work without it as well")]
    public string Redis { get; set; } = "";

    /// <summary>Versions and resources turned on or off, see <see cref="Registry.ServedResources"/>.</summary>
    [Description("API versions on or off: api/all|ga|beta|alpha, GROUP/VERSION or GROUP/VERSION/RESOURCE, each =true or =false; by commas")]
    public string RuntimeConfig { get; set; } = "";

    /// <summary>Range of virtual IPs.</summary>
    [Description("range of service cluster IPs")]
    public string ServiceCidr { get; set; } = "10.96.0.0/16";

    /// <summary>Issuer of service account tokens.</summary>
    [Description("issuer of service account tokens")]
    public string ServiceAccountIssuer { get; set; } = "https://kubernetes.default.svc.cluster.local";

    /// <summary>Address other machines reach this gateway at; empty: the endpoints of the service kubernetes are left alone.</summary>
    [Description("IP address of this gateway in the endpoints of the service kubernetes; empty: found by the route to the outside")]
    public string AdvertiseAddress { get; set; } = "";

    /// <summary>Port in the endpoints of the service kubernetes.</summary>
    [Description("port of this gateway in the endpoints of the service kubernetes")]
    public int AdvertisePort { get; set; } = 6443;
}
