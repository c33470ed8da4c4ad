using Mesh.Api;
using Mesh.Gateway.Registry;

namespace Mesh.Gateway.Tests.Kinds;

/// <summary>Profiles that annotations choose, the names pods give themselves, and old fields that writers are warned about.</summary>
public sealed class ProfileAnnotationTests
{
    private const string Key = "container.apparmor.security.beta.kubernetes.io/";
    private readonly KindHarness kinds = new();

    [Theory]
    [InlineData(Key + "c", "bad", "", "metadata.annotations[" + Key + "c]: Invalid value: \"bad\": invalid AppArmor profile name: \"bad\"")]
    [InlineData(Key + "x", "unconfined", "", "metadata.annotations[" + Key + "x]: Invalid value: \"x\": container not found")]
    [InlineData(Key + "c", "unconfined", "\"appArmorProfile\":{\"type\":\"RuntimeDefault\"}", "spec.containers[0].securityContext.appArmorProfile.type: Forbidden: apparmor type in annotation and field must match")]
    [InlineData(Key + "c", "localhost/a", "\"appArmorProfile\":{\"type\":\"Localhost\",\"localhostProfile\":\"b\"}", "spec.containers[0].securityContext.appArmorProfile.localhostProfile: Forbidden: apparmor profile in annotation and field must match")]
    [InlineData(Key + "c", "localhost/a", "\"appArmorProfile\":{\"type\":\"Localhost\",\"localhostProfile\":\"a\"}", null)]
    [InlineData("seccomp.security.alpha.kubernetes.io/pod", "bad", "", "metadata.annotations.seccomp.security.alpha.kubernetes.io/pod: Invalid value: \"bad\": must be a valid seccomp profile")]
    [InlineData("container.seccomp.security.alpha.kubernetes.io/c", "unconfined", "\"seccompProfile\":{\"type\":\"RuntimeDefault\"}", "spec.containers[0].securityContext.seccompProfile.type: Forbidden: seccomp type in annotation and field must match")]
    [InlineData("container.seccomp.security.alpha.kubernetes.io/c", "docker/default", "\"seccompProfile\":{\"type\":\"RuntimeDefault\"}", null)]
    public async Task Annotations_are_checked(string key, string value, string context, string? refusal)
    {
        var pod = KindHarness.Json($$$"""{"metadata":{"name":"p","annotations":{"{{{key}}}":"{{{value}}}"} },"spec":{"containers":[{"name":"c","image":"i","securityContext":{ {{{context}}} } } ] } }""");
        Assert.Equal(refusal is null ? null : $"Pod \"p\" is invalid: {refusal}", await ErrorAsync("", "pods", pod));
        // A template's are checked the same; their path is the template's.
        var deployment = KindHarness.Json($$$"""
            {"metadata":{"name":"d"},"spec":{"selector":{"matchLabels":{"a":"b"}},"template":{"metadata":{"labels":{"a":"b"},"annotations":{"{{{key}}}":"{{{value}}}"} },
             "spec":{"containers":[{"name":"c","image":"i","securityContext":{ {{{context}}} } } ] } } } }
            """);
        var nested = refusal?.Replace("metadata.annotations", "spec.template.annotations", StringComparison.Ordinal).Replace("spec.containers", "spec.template.spec.containers", StringComparison.Ordinal);
        Assert.Equal(nested is null ? null : $"Deployment.apps \"d\" is invalid: {nested}", await ErrorAsync("apps", "deployments", deployment));
    }

    [Theory]
    [InlineData("unconfined", "", "{\"type\":\"Unconfined\"}", true)]
    [InlineData("runtime/default", "", "{\"type\":\"RuntimeDefault\"}", true)]
    [InlineData("localhost/a", "", "{\"type\":\"Localhost\",\"localhostProfile\":\"a\"}", true)]
    [InlineData("localhost/", "", null, true)]
    [InlineData("unconfined", "\"securityContext\":{\"appArmorProfile\":{\"type\":\"Unconfined\"}},", null, false)]
    [InlineData("unconfined", "\"securityContext\":{\"appArmorProfile\":{\"type\":\"RuntimeDefault\"}},", "{\"type\":\"Unconfined\"}", true)]
    [InlineData("unconfined", "\"os\":{\"name\":\"windows\"},", null, false)]
    public void AppArmor_annotations_become_fields(string annotation, string more, string? field, bool warned)
    {
        var pod = KindHarness.Json($$$"""{"metadata":{"name":"p","annotations":{"{{{Key}}}c":"{{{annotation}}}"} },"spec":{ {{{more}}}"containers":[{"name":"c","image":"i"}]}}""");
        var (strategy, context) = (kinds.Strategy("", "pods"), kinds.Context);
        strategy.Default(pod);
        strategy.PrepareForCreate(pod, context);
        Assert.Equal(field, pod["spec"]!["containers"]![0]!["securityContext"]?["appArmorProfile"]?.ToJsonString());
        Assert.Equal(warned ? [$"metadata.annotations[{Key}c]: deprecated since v1.30; use the \"appArmorProfile\" field instead"] : [], context.Warnings);
        Assert.Empty(strategy.Warnings(pod, null));
    }

    [Theory]
    [InlineData("\"hostnameOverride\":\"a.example.com\"", null)]
    [InlineData("\"hostnameOverride\":\"a.example.com\",\"setHostnameAsFQDN\":false", null)]
    [InlineData("\"hostnameOverride\":\"a\",\"setHostnameAsFQDN\":true", "Forbidden: may not be specified when setHostnameAsFQDN is true")]
    [InlineData("\"hostnameOverride\":\"a\",\"hostNetwork\":true", "Forbidden: may not be specified when hostNetwork is true")]
    [InlineData("\"hostnameOverride\":\"A_b\"", "Invalid value: \"A_b\": a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')")]
    [InlineData("\"hostnameOverride\":\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.aaaaaaaaaaaaaaaaaaaaaaaa\"", "Too long: may not be more than 64 bytes")]
    public async Task Pods_may_name_themselves(string fields, string? refusal) =>
        Assert.Equal(
            refusal is null ? null : $"Pod \"p\" is invalid: spec.hostnameOverride: {refusal}",
            await ErrorAsync("", "pods", KindHarness.Json($$$"""{"metadata":{"name":"p"},"spec":{ {{{fields}}},"containers":[{"name":"c","image":"i"}]}}""")));

    [Theory]
    [InlineData("", "nodes", """{"spec":{"configSource":{},"externalID":"x","podCIDRs":["10.0.0.1/24"]}}""",
        "spec.configSource: the feature is removed", "spec.externalID: this field is deprecated, and is unused by Kubernetes",
        "spec.podCIDRs[0]: CIDR value \"10.0.0.1/24\" is ambiguous in this context (should be \"10.0.0.0/24\" or \"10.0.0.1/32\"?)")]
    [InlineData("", "serviceaccounts", """{"metadata":{"annotations":{"kubernetes.io/enforce-mountable-secrets":"x"}}}""",
        "metadata.annotations[kubernetes.io/enforce-mountable-secrets]: deprecated in v1.32+; prefer separate namespaces to isolate access to mounted secrets")]
    [InlineData("", "endpoints", """{"subsets":[{"addresses":[{"ip":"1.2.3.4"}],"notReadyAddresses":[{"ip":"2001:DB8::1"}]}]}""",
        "subsets[0].notReadyAddresses[0].ip: IPv6 address \"2001:DB8::1\" should be in RFC 5952 canonical format (\"2001:db8::1\")")]
    [InlineData("", "endpoints", """{"metadata":{"labels":{"endpoints.kubernetes.io/managed-by":"endpoint-controller"}},"subsets":[{"addresses":[{"ip":"2001:DB8::1"}]}]}""")]
    [InlineData("discovery.k8s.io", "endpointslices", """{"addressType":"FQDN","endpoints":[{"addresses":["a.b"]}]}""", "spec.addressType: FQDN endpoints are deprecated")]
    [InlineData("discovery.k8s.io", "endpointslices", """{"addressType":"IPv6","endpoints":[{"addresses":["2001:DB8::1"]}]}""",
        "endpoints[0].addresses[0]: IPv6 address \"2001:DB8::1\" should be in RFC 5952 canonical format (\"2001:db8::1\")")]
    [InlineData("discovery.k8s.io", "endpointslices", """{"metadata":{"labels":{"endpointslice.kubernetes.io/managed-by":"endpointslice-controller.k8s.io"}},"addressType":"IPv6","endpoints":[{"addresses":["2001:DB8::1"]}]}""")]
    public void Writers_of_old_fields_are_warned(string group, string plural, string obj, params string[] warnings) =>
        Assert.Equal(warnings, kinds.Strategy(group, plural).Warnings(KindHarness.Json(obj), null));

    [Fact]
    public void The_mountable_secrets_are_warned_about_once()
    {
        var account = KindHarness.Json("""{"metadata":{"annotations":{"kubernetes.io/enforce-mountable-secrets":"true"}}}""");
        Assert.Empty(kinds.Strategy("", "serviceaccounts").Warnings(account, account));
        Assert.Single(kinds.Strategy("", "serviceaccounts").Warnings(account, KindHarness.Json("{}")));
    }

    [Fact]
    public async Task Topology_of_old_slices_is_dropped_with_a_change()
    {
        var made = await kinds.CreateAsync("discovery.k8s.io", "endpointslices", KindHarness.Json(
            """{"metadata":{"name":"s"},"addressType":"IPv4","endpoints":[{"addresses":["1.2.3.4"],"deprecatedTopology":{"a":"b"}}]}"""));
        Assert.Null(made["endpoints"]![0]!["deprecatedTopology"]);
        var stored = KindHarness.Json(made.ToJsonString());
        stored["endpoints"]![0]!["deprecatedTopology"] = KindHarness.Json("""{"a":"b"}""");
        var same = await kinds.UpdateAsync("discovery.k8s.io", "endpointslices", stored, stored);
        Assert.NotNull(same["endpoints"]![0]!["deprecatedTopology"]);
        var changed = KindHarness.Json(stored.ToJsonString());
        changed["endpoints"]![0]!["hostname"] = "h";
        Assert.Null((await kinds.UpdateAsync("discovery.k8s.io", "endpointslices", changed, stored))["endpoints"]![0]!["deprecatedTopology"]);
    }

    [Fact]
    public async Task The_external_id_of_a_node_stays()
    {
        var node = await kinds.CreateAsync("", "nodes", KindHarness.Json("""{"metadata":{"name":"n"},"spec":{"externalID":"a"}}"""));
        var changed = KindHarness.Json(node.ToJsonString());
        changed["spec"]!["externalID"] = "b";
        var refused = await Assert.ThrowsAsync<ApiException>(() => kinds.UpdateAsync("", "nodes", changed, node));
        Assert.Equal("Node \"n\" is invalid: spec.externalID: Forbidden: may not be updated", refused.Message);
    }

    private async Task<string?> ErrorAsync(string group, string plural, System.Text.Json.Nodes.JsonObject obj)
    {
        try
        {
            await kinds.CreateAsync(group, plural, obj);
            return null;
        }
        catch (ApiException refused)
        {
            return refused.Message;
        }
    }
}
