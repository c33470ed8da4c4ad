using Mesh.Api;

namespace Mesh.Gateway.Http;

/// <summary>APIs that are served but have a successor or no future: whoever uses one is told.</summary>
internal static class DeprecatedApis
{
    private static readonly Dictionary<(string Group, string Version, string Plural), string[]> Texts = new()
    {
        [("", "v1", "componentstatuses")] = ["v1 ComponentStatus is deprecated in v1.19+"],
        [("", "v1", "endpoints")] = ["v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice"],
    };

    /// <summary>What the user of a resource is told, mostly nothing.</summary>
    public static string[] Warnings(ApiResource resource) => Texts.GetValueOrDefault((resource.Group, resource.Version, resource.Plural), []);
}
