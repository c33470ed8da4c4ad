using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json.Nodes;
using Mesh.Gateway.Registry.Kinds;

namespace Mesh.Gateway.Tests.Kinds;

/// <summary>Kinds by which a cluster is extended, and certificate requests.</summary>
public class ExtensionRules : KindRules
{
    [Theory]
    [InlineData("admissionregistration.k8s.io/validatingwebhookconfigurations", """{"webhooks":[{"name":"a.b"}]}""",
        "[webhooks[0].name: Invalid value: \"a.b\": should be a domain with at least three segments separated by dots, webhooks[0].sideEffects: Required value: must specify one of None, NoneOnDryRun, webhooks[0].clientConfig: Required value: exactly one of url or service is required, webhooks[0].admissionReviewVersions: Required value: must specify one of v1, v1beta1]")]
    [InlineData("admissionregistration.k8s.io/mutatingwebhookconfigurations",
        """{"webhooks":[{"name":"a.b.c","sideEffects":"Some","timeoutSeconds":31,"admissionReviewVersions":["v2"],"clientConfig":{"url":"http://u@h/p?q#f"},"rules":[{"operations":["*","CREATE"],"apiGroups":[""],"apiVersions":["v1"],"resources":["*/*","pods"]}]}]}""",
        "[webhooks[0].rules[0].operations: Invalid value: [\"*\",\"CREATE\"]: if '*' is present, must not specify other operations, webhooks[0].rules[0].resources: Invalid value: [\"*/*\",\"pods\"]: if '*/*' is present, must not specify other resources, webhooks[0].sideEffects: Unsupported value: \"Some\": supported values: \"None\", \"NoneOnDryRun\", webhooks[0].timeoutSeconds: Invalid value: 31: the timeout value must be between 1 and 30 seconds, webhooks[0].clientConfig.url: Invalid value: \"http\": 'https' is the only allowed URL scheme; desired format: https://host[/path], webhooks[0].clientConfig.url: Invalid value: \"u\": user information is not permitted in the URL, webhooks[0].clientConfig.url: Invalid value: \"f\": fragments are not permitted in the URL, webhooks[0].clientConfig.url: Invalid value: \"q\": query parameters are not permitted in the URL, webhooks[0].admissionReviewVersions: Invalid value: [\"v2\"]: must include at least one of v1, v1beta1]")]
    [InlineData("admissionregistration.k8s.io/validatingadmissionpolicies", """{"spec":{}}""",
        "[spec.matchConstraints: Required value, spec.validations: Required value: validations or auditAnnotations must contain at least one item, spec.auditAnnotations: Required value: validations or auditAnnotations must contain at least one item]")]
    [InlineData("admissionregistration.k8s.io/validatingadmissionpolicies", """{"spec":{"paramKind":{"apiVersion":"a/b/c","kind":"K_"},"matchConstraints":{"resourceRules":[{"operations":["*"],"apiGroups":["*"],"apiVersions":["*"],"resources":["*"]}]},"variables":[{"name":"1a","expression":"x"},{"name":""}],"validations":[{"expression":"true"}],"auditAnnotations":[{"key":"k","valueExpression":"v"},{"key":"k","valueExpression":"v"}]}}""",
        "[spec.paramKind.apiVersion: Invalid value: \"a/b/c\": unexpected GroupVersion string: a/b/c, spec.paramKind.kind: Invalid value: \"K_\": may have mixed case, but should otherwise match: a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for validation is '[a-z]([-a-z0-9]*[a-z0-9])?'), spec.variables[0].name: Invalid value: \"1a\": name is not a valid CEL identifier, spec.variables[1].name: Required value: name is not specified, spec.variables[1].expression: Required value: expression is not specified, spec.auditAnnotations[1].key: Duplicate value: \"k\"]")]
    [InlineData("admissionregistration.k8s.io/mutatingadmissionpolicies", """{"spec":{"matchConstraints":{"resourceRules":[{"operations":["*"],"apiGroups":["*"],"apiVersions":["*"],"resources":["*"]}]},"mutations":[{"patchType":"JSONPatch"},{"patchType":"Merge"}]}}""",
        "[spec.mutations[0].jsonPatch: Required value: must be specified when patchType is JSONPatch, spec.mutations[1].patchType: Unsupported value: \"Merge\": supported values: \"ApplyConfiguration\", \"JSONPatch\", spec.reinvocationPolicy: Required value]")]
    [InlineData("admissionregistration.k8s.io/mutatingadmissionpolicybindings", """{"spec":{"paramRef":{}}}""",
        "[spec.policyName: Required value, spec.paramRef: Required value: one of name or selector must be specified, spec.paramRef.parameterNotFoundAction: Required value]")]
    [InlineData("admissionregistration.k8s.io/validatingadmissionpolicybindings", """{"spec":{"validationActions":["Deny","Warn"]}}""",
        "[spec.policyName: Required value, spec.validationActions: Invalid value: [\"Deny\",\"Warn\"]: must not contain both Deny and Warn (repeating the same validation failure information in the API response and headers serves no purpose)]")]
    [InlineData("apiregistration.k8s.io/apiservices", """{"spec":{"group":"g.io","version":"v1","groupPriorityMinimum":0,"versionPriority":1001}}""",
        "[metadata.name: Invalid value: \"a\": must be `spec.version+\".\"+spec.group`: \"v1.g.io\", spec.groupPriorityMinimum: Invalid value: 0: must be positive and less than 20000, spec.versionPriority: Invalid value: 1001: must be positive and less than 1000]")]
    [InlineData("apiextensions.k8s.io/customresourcedefinitions", """{"metadata":{"name":"as.g"},"spec":{"group":"g","scope":"World","names":{"plural":"as","kind":"A"},"versions":[{"name":"v1","served":true,"storage":false}]}}""",
        "[spec.group: Invalid value: \"g\": should be a domain with at least one dot, spec.scope: Unsupported value: \"World\": supported values: \"Cluster\", \"Namespaced\", spec.versions[0].schema.openAPIV3Schema: Required value: schemas are required, spec.versions: Invalid value: [{\"name\":\"v1\",\"served\":true,\"storage\":false}]: must have exactly one version marked as storage version]")]
    [InlineData("flowcontrol.apiserver.k8s.io/flowschemas", """{"spec":{"matchingPrecedence":1,"rules":[{"subjects":[{"kind":"User"}]}]}}""",
        "[spec.matchingPrecedence: Invalid value: 1: only the schema named 'exempt' may have matchingPrecedence 1, spec.priorityLevelConfiguration.name: Required value: must reference a priority level, spec.rules[0].subjects[0].user: Required value: user is required when subject kind is 'User', spec.rules[0]: Required value: at least one of resourceRules and nonResourceRules has to be non-empty]")]
    [InlineData("flowcontrol.apiserver.k8s.io/prioritylevelconfigurations", """{"spec":{"type":"Limited","limited":{"limitResponse":{"type":"Queue","queuing":{"queues":4}}}}}""",
        "spec.limited.limitResponse.queuing.handSize: Invalid value: 8: should not be greater than queues (4)")]
    [InlineData("resource.k8s.io/resourceclaims", """{"spec":{"devices":{"requests":[{"name":"a","exactly":{}},{"name":"a"}]}}}""",
        "[spec.devices.requests[1]: Duplicate value: \"a\", spec.devices.requests[0].exactly.deviceClassName: Required value, spec.devices.requests[1]: Required value: exactly one of `exactly` or `firstAvailable` is required]")]
    [InlineData("resource.k8s.io/deviceclasses", """{"spec":{"selectors":[{"cel":{}}]}}""", "spec.selectors[0].cel.expression: Required value")]
    [InlineData("resource.k8s.io/resourceslices", """{"spec":{"driver":"d.io","pool":{"name":"p","resourceSliceCount":1}}}""",
        "spec: Required value: exactly one of `nodeName`, `nodeSelector`, `allNodes`, `perDeviceNodeSelection` is required")]
    [InlineData("certificates.k8s.io/certificatesigningrequests", """{"spec":{"request":"eA==","signerName":"x","usages":["flying"],"expirationSeconds":5}}""",
        "[spec.request: Invalid value: \"eA==\": PEM block type must be CERTIFICATE REQUEST, spec.usages[0]: Unsupported value: \"flying\": supported values: \"any\", \"cert sign\", \"client auth\", \"code signing\", \"content commitment\", \"crl sign\", \"data encipherment\", \"decipher only\", \"digital signature\", \"email protection\", \"encipher only\", \"ipsec end system\", \"ipsec tunnel\", \"ipsec user\", \"key agreement\", \"key encipherment\", \"microsoft sgc\", \"netscape sgc\", \"ocsp signing\", \"s/mime\", \"server auth\", \"signing\", \"timestamping\", spec.signerName: Invalid value: \"x\": must be a fully qualified domain and path of the form 'example.com/signer-name', spec.expirationSeconds: Invalid value: 5: may not specify a duration less than 600 seconds (10 minutes)]")]
    public async Task Creates(string kind, string json, string message) => Assert.Equal(message, await Create(kind, json));

    [Fact]
    public async Task Certificate_requests_are_approved_once_and_by_approval()
    {
        const string Kind = "certificatesigningrequests";
        var old = await Harness.CreateAsync("certificates.k8s.io", Kind, Whole($$$"""{"spec":{"request":"{{{Request()}}}","username":"root","signerName":"kubernetes.io/kube-apiserver-client","usages":["client auth"]}}"""));
        Assert.Equal("system:anonymous", old.Obj("spec").Str("username"));

        var approved = (JsonObject)old.DeepClone();
        approved["status"] = JsonNode.Parse("""{"conditions":[{"type":"Approved","status":"True","reason":"x"}],"certificate":"eA=="}""");
        Assert.Empty(Harness.SubresourceErrors("certificates.k8s.io", Kind, "approval", approved, old));
        Assert.Equal(
            "status.conditions: Forbidden: updates may not add a condition of type \"Approved\"",
            Harness.SubresourceErrors("certificates.k8s.io", Kind, "status", approved, old)[0].ToString());

        approved.Obj("status")!.Remove("certificate");
        Assert.Equal(
            "status.conditions: Forbidden: updates may not remove a condition of type \"Approved\"",
            Harness.SubresourceErrors("certificates.k8s.io", Kind, "approval", old, approved)[0].ToString());
        var denied = (JsonObject)approved.DeepClone();
        denied.Obj("status")!.Arr("conditions")!.Add(JsonNode.Parse("""{"type":"Denied","status":"True"}"""));
        Assert.Equal(
            "status.conditions[1].type: Invalid value: \"Denied\": Approved and Denied conditions are mutually exclusive",
            Harness.SubresourceErrors("certificates.k8s.io", Kind, "approval", denied, approved)[0].ToString());
    }

    internal static string Request()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=a", key, HashAlgorithmName.SHA256);
        return Convert.ToBase64String(Encoding.ASCII.GetBytes(request.CreateSigningRequestPem()));
    }
}
