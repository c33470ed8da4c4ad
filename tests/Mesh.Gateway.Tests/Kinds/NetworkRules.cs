namespace Mesh.Gateway.Tests.Kinds;

/// <summary>Services, ingresses, policies, endpoints, address ranges.</summary>
public class NetworkRules : KindRules
{
    private const string Subdomain =
        "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";

    [Theory]
    [InlineData("""{"spec":{}}""", "spec.ports: Required value")]
    [InlineData("""{"spec":{"ports":[{"port":80},{"port":81}]}}""", "[spec.ports[0].name: Required value, spec.ports[1].name: Required value]")]
    [InlineData("""{"spec":{"ports":[{"port":80,"name":"a"},{"port":80,"name":"b"}]}}""",
        "spec.ports[1]: Duplicate value: {\"Name\":\"\",\"Protocol\":\"TCP\",\"AppProtocol\":null,\"Port\":80,\"TargetPort\":0,\"NodePort\":0}")]
    [InlineData("""{"spec":{"ports":[{"port":0}]}}""", "[spec.ports[0].port: Invalid value: 0: must be between 1 and 65535, inclusive, spec.ports[0].targetPort: Invalid value: 0: must be between 1 and 65535, inclusive]")]
    [InlineData("""{"spec":{"ports":[{"port":80,"nodePort":30000}]}}""", "spec.ports[0].nodePort: Forbidden: may not be used when `type` is 'ClusterIP'")]
    [InlineData("""{"spec":{"type":"Mesh","ports":[{"port":80}]}}""", "spec.type: Unsupported value: \"Mesh\": supported values: \"ClusterIP\", \"ExternalName\", \"LoadBalancer\", \"NodePort\"")]
    [InlineData("""{"spec":{"type":"ExternalName","clusterIP":"1.2.3.4"}}""", "[spec.clusterIPs: Forbidden: may not be set for ExternalName services, spec.externalName: Required value]")]
    [InlineData("""{"spec":{"type":"NodePort","clusterIP":"None","ports":[{"port":80}]}}""", "spec.clusterIPs[0]: Invalid value: \"None\": may not be set to 'None' for NodePort services")]
    [InlineData("""{"spec":{"sessionAffinity":"Sticky","ports":[{"port":80}]}}""", "spec.sessionAffinity: Unsupported value: \"Sticky\": supported values: \"ClientIP\", \"None\"")]
    [InlineData("""{"spec":{"sessionAffinity":"ClientIP","sessionAffinityConfig":{"clientIP":{"timeoutSeconds":86401}},"ports":[{"port":80}]}}""",
        "spec.sessionAffinityConfig.clientIP.timeoutSeconds: Invalid value: 86401: must be greater than 0 and less than 86400")]
    [InlineData("""{"spec":{"externalIPs":["127.0.0.1","x"],"ports":[{"port":80}]}}""",
        "[spec.externalIPs[0]: Invalid value: \"127.0.0.1\": may not be in the loopback range (127.0.0.0/8, ::1/128), spec.externalIPs[1]: Invalid value: \"x\": must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)]")]
    [InlineData("""{"spec":{"loadBalancerSourceRanges":["1.2.3.0/33"],"ports":[{"port":80}]}}""",
        "[spec.LoadBalancerSourceRanges: Forbidden: may only be used when `type` is 'LoadBalancer', spec.LoadBalancerSourceRanges[0]: Invalid value: \"1.2.3.0/33\": must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)]")]
    [InlineData("""{"spec":{"externalTrafficPolicy":"Local","ports":[{"port":80}]}}""", "spec.externalTrafficPolicy: Invalid value: \"Local\": may only be set for externally-accessible services")]
    [InlineData("""{"spec":{"trafficDistribution":"Far","ports":[{"port":80}]}}""", "spec.trafficDistribution: Unsupported value: \"Far\": supported values: \"PreferClose\", \"PreferSameNode\", \"PreferSameZone\"")]
    public async Task Services(string json, string message) => Assert.Equal(message, await Create("services", json));

    [Theory]
    [InlineData("""{"spec":{"clusterIP":"10.96.0.9","ports":[{"port":80}]}}""", """{"spec":{"clusterIP":"10.96.0.8","clusterIPs":["10.96.0.8"],"ports":[{"port":80}]}}""",
        "spec.clusterIPs[0]: Invalid value: [\"10.96.0.8\"]: may not change once set")]
    [InlineData("""{"spec":{"type":"LoadBalancer","ports":[{"port":80}]}}""", """{"spec":{"type":"LoadBalancer","loadBalancerClass":"a.io/b","ports":[{"port":80}]}}""",
        "spec.loadBalancerClass: Invalid value: \"a.io/b\": may not change once set")]
    public async Task Service_updates(string was, string now, string message) => Assert.Equal(message, await Update("services", was, now));

    [Theory]
    [InlineData("""{"spec":{}}""", "spec: Invalid value: null: either `defaultBackend` or `rules` must be specified")]
    [InlineData("""{"spec":{"defaultBackend":{}}}""", "spec.defaultBackend: Invalid value: \"\": resource or service backend is required")]
    [InlineData("""{"spec":{"defaultBackend":{"service":{"name":"s","port":{}}}}}""", "spec.defaultBackend: Required value: port name or number is required")]
    [InlineData("""{"spec":{"defaultBackend":{"resource":{"kind":"K"}}}}""", "spec.defaultBackend.resource.name: Required value: name is required")]
    [InlineData("""{"spec":{"rules":[{"host":"1.2.3.4","http":{"paths":[{"path":"a","pathType":"Exact","backend":{"service":{"name":"s","port":{"number":80}}}}]}}]}}""",
        "[spec.rules[0].host: Invalid value: \"1.2.3.4\": must be a DNS name, not an IP address, spec.rules[0].http.paths[0].path: Invalid value: \"a\": must be an absolute path]")]
    [InlineData("""{"spec":{"rules":[{"http":{"paths":[{"path":"/a/../b","pathType":"Prefix","backend":{"service":{"name":"s","port":{"name":"p","number":80}}}}]}}]}}""",
        "[spec.rules[0].http.paths[0].path: Invalid value: \"/a/../b\": must not contain '/../', spec.rules[0].http.paths[0].backend: Invalid value: \"\": cannot set both port name & port number]")]
    [InlineData("""{"spec":{"rules":[{"http":{"paths":[{"path":"/"}]}}]}}""", "spec.rules[0].http.paths[0].pathType: Required value: pathType must be specified")]
    [InlineData("""{"spec":{"defaultBackend":{"service":{"name":"s","port":{"number":1}}},"tls":[{"secretName":"A"}]}}""", "spec.tls[0].secretName: Invalid value: \"A\": " + Subdomain)]
    [InlineData("""{"metadata":{"annotations":{"kubernetes.io/ingress.class":"a"}},"spec":{"ingressClassName":"b","defaultBackend":{"service":{"name":"s","port":{"number":1}}}}}""",
        "annotations.kubernetes.io/ingress.class: Invalid value: \"a\": can not be set when the class field is also set")]
    public async Task Ingresses(string json, string message) => Assert.Equal(message, await Create("networking.k8s.io/ingresses", json));

    [Theory]
    [InlineData("networking.k8s.io/networkpolicies", """{"spec":{"podSelector":{},"ingress":[{"from":[{}],"ports":[{"protocol":"HTTP","endPort":3}]}]}}""",
        "[spec.ingress[0].ports[0].protocol: Unsupported value: \"HTTP\": supported values: \"TCP\", \"UDP\", \"SCTP\", spec.ingress[0].ports[0].endPort: Invalid value: 3: may not be specified when `port` is not specified, spec.ingress[0].from[0]: Required value: must specify a peer]")]
    [InlineData("networking.k8s.io/networkpolicies", """{"spec":{"podSelector":{},"egress":[{"to":[{"ipBlock":{"cidr":"10.0.0.0/8","except":["11.0.0.0/16","10.0.0.0/8"]},"podSelector":{}}]}]}}""",
        "[spec.egress[0].to[0].ipBlock.except[0]: Invalid value: \"11.0.0.0/16\": must be a strict subset of `cidr`, spec.egress[0].to[0].ipBlock.except[1]: Invalid value: \"10.0.0.0/8\": must be a strict subset of `cidr`, spec.egress[0].to[0]: Forbidden: may not specify both ipBlock and another peer]")]
    [InlineData("networking.k8s.io/networkpolicies", """{"spec":{"podSelector":{},"policyTypes":["Both"]}}""", "spec.policyTypes[0]: Unsupported value: \"Both\": supported values: \"Ingress\", \"Egress\"")]
    [InlineData("networking.k8s.io/ingressclasses", """{"spec":{"controller":"nginx"}}""", "spec.controller: Invalid value: \"nginx\": must be a domain-prefixed path (such as \"acme.io/foo\")")]
    [InlineData("networking.k8s.io/ingressclasses", """{"spec":{"controller":"a.io/b","parameters":{"kind":"K","name":"n","scope":"Namespace"}}}""", "spec.parameters.namespace: Required value: `parameters.scope` is set to 'Namespace'")]
    [InlineData("networking.k8s.io/servicecidrs", """{"spec":{"cidrs":["10.0.0.0/24","10.0.1.0/24"]}}""",
        "spec.cidrs: Invalid value: {\"cidrs\":[\"10.0.0.0/24\",\"10.0.1.0/24\"]}: may specify no more than one IP for each IP family, i.e 192.168.0.0/24 and 2001:db8::/64")]
    [InlineData("networking.k8s.io/ipaddresses", """{"metadata":{"name":"1.2.3.4"},"spec":{"parentRef":{"name":"s"}}}""", "spec.parentRef.resource: Required value")]
    [InlineData("endpoints", """{"subsets":[{"addresses":[{"ip":"169.254.1.1"}],"ports":[{"port":0},{"port":1}]}]}""",
        "[subsets[0].addresses[0].ip: Invalid value: \"169.254.1.1\": may not be in the link-local range (169.254.0.0/16, fe80::/10), subsets[0].ports[0].name: Required value, subsets[0].ports[0].port: Invalid value: 0: must be between 1 and 65535, inclusive, subsets[0].ports[1].name: Required value]")]
    [InlineData("discovery.k8s.io/endpointslices", """{"addressType":"IPv4","endpoints":[{"addresses":[]},{"addresses":["::1"]}],"ports":[{"protocol":"X"}]}""",
        "[endpoints[0].addresses: Required value: must contain at least 1 address, endpoints[1].addresses[0]: Invalid value: \"::1\": must be a valid IPv4 address, endpoints[1].addresses[0]: Invalid value: \"::1\": may not be in the loopback range (127.0.0.0/8, ::1/128), ports[0].protocol: Unsupported value: \"X\": supported values: \"SCTP\", \"TCP\", \"UDP\"]")]
    [InlineData("discovery.k8s.io/endpointslices", """{"addressType":"Mac","endpoints":[]}""", "addressType: Unsupported value: \"Mac\": supported values: \"FQDN\", \"IPv4\", \"IPv6\"")]
    public async Task Others(string kind, string json, string message) => Assert.Equal(message, await Create(kind, json));

    [Theory]
    [InlineData("networking.k8s.io/ingressclasses", """{"spec":{"controller":"a.io/b"}}""", """{"spec":{"controller":"a.io/c"}}""", "spec.controller: Invalid value: \"a.io/c\": field is immutable")]
    [InlineData("discovery.k8s.io/endpointslices", """{"addressType":"IPv4"}""", """{"addressType":"IPv6"}""", "addressType: Invalid value: \"IPv6\": field is immutable")]
    [InlineData("networking.k8s.io/servicecidrs", """{"spec":{"cidrs":["10.0.0.0/24"]}}""", """{"spec":{"cidrs":["10.0.0.0/24","fd00::/64"]}}""", "")]
    [InlineData("networking.k8s.io/servicecidrs", """{"spec":{"cidrs":["10.0.0.0/24"]}}""", """{"spec":{"cidrs":["10.1.0.0/24"]}}""", "spec.cidrs: Invalid value: [\"10.1.0.0/24\"]: field is immutable")]
    public async Task Updates(string kind, string was, string now, string message) => Assert.Equal(message, await Update(kind, was, now));

    [Fact]
    public void Addresses_are_named_canonically()
    {
        var strategy = Harness.Strategy("networking.k8s.io", "ipaddresses");
        Assert.Equal(["must be in canonical form (\"2001:db8::1\")"], strategy.ValidateName("2001:db8:0::1", false));
        Assert.Empty(strategy.ValidateName("10.0.0.1", false));
        Assert.NotEmpty(strategy.ValidateName("x", false));
    }
}
