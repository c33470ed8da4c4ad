namespace Mesh.Api.Schema;

/// <summary>Names of types in Kubernetes' OpenAPI documents.</summary>
internal static class OpenApiNames
{
    public static string Of(string package, string name) => package switch
    {
        "" => name,
        "meta.v1" when name == "VersionInfo" => "io.k8s.apimachinery.pkg.version.Info",
        "meta.v1" => "io.k8s.apimachinery.pkg.apis.meta.v1." + name,
        "apiextensions.v1" => "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1." + name,
        "apiregistration.v1" => "io.k8s.kube-aggregator.pkg.apis.apiregistration.v1." + name,
        _ => $"io.k8s.api.{package}.{name}",
    };
}
