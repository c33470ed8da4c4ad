using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json.Nodes;
using Mesh.Api;
using Mesh.Security;

namespace Mesh.Gateway.Registry.Kinds.Certificates;

/// <summary>
/// CertificateSigningRequests: the spec is the requester's and says who that is, conditions about approval are written through
/// approval, the certificate and failures through status.
/// </summary>
internal sealed class CertificateSigningRequestStrategy() : KindStrategy(Of("certificates.k8s.io", "v1", "certificatesigningrequests"), hasStatus: true, names: NameRule.PathSegment)
{
    private static readonly string[] Fields = ["spec.signerName"];
    private static readonly string[] Requester = ["username", "uid", "groups", "extra"];
    private static readonly string[] Decisions = ["Approved", "Denied"];
    private static readonly string[] Final = ["Approved", "Denied", "Failed"];

    private static readonly string[] Usages =
    [
        "any", "cert sign", "client auth", "code signing", "content commitment", "crl sign", "data encipherment", "decipher only", "digital signature", "email protection",
        "encipher only", "ipsec end system", "ipsec tunnel", "ipsec user", "key agreement", "key encipherment", "microsoft sgc", "netscape sgc", "ocsp signing", "s/mime",
        "server auth", "signing", "timestamping",
    ];

    /// <inheritdoc/>
    public override IReadOnlyList<string> SelectableFields => Fields;

    /// <inheritdoc/>
    public override string[] SelectableValues(JsonObject obj) => [obj.Obj("spec").Str("signerName")];

    /// <inheritdoc/>
    public override void PrepareForCreate(JsonObject obj, StrategyContext context)
    {
        base.PrepareForCreate(obj, context);
        obj["status"] = new JsonObject();
        var spec = obj.Ensure("spec");
        foreach (var field in Requester)
            spec.Remove(field);
        Sign(spec, context.User);
    }

    /// <inheritdoc/>
    public override void PrepareForUpdate(JsonObject obj, JsonObject old, StrategyContext context)
    {
        base.PrepareForUpdate(obj, old, context);
        PutBack("spec", obj, old);
    }

    /// <inheritdoc/>
    public override void PrepareForSubresourceUpdate(string subresource, JsonObject obj, JsonObject old, StrategyContext context)
    {
        var status = (JsonObject?)obj.Obj("status")?.DeepClone() ?? [];
        base.PrepareForSubresourceUpdate(subresource, obj, old, context);
        if (subresource == "approval")
        {
            // Only what is said about approval; the certificate stays what it was.
            status.Remove("certificate");
            if (old.Obj("status")?["certificate"] is { } certificate)
                status["certificate"] = certificate.DeepClone();
        }

        Times(status, old.Obj("status"), ObjectMetaRules.Time(context.Time.GetUtcNow()));
        obj["status"] = status;
    }

    /// <inheritdoc/>
    public override void Validate(JsonObject obj, List<FieldError> errors)
    {
        var spec = Spec(obj);
        if (RequestError(spec.Str("request")) is { } wrong)
            errors.Add(FieldError.Invalid("spec.request", spec.Str("request"), wrong));
        var usages = spec.Strings("usages");
        if (usages.Count == 0)
            errors.Add(FieldError.Required("spec.usages", "usages must be provided"));
        for (var i = 0; i < usages.Count; i++)
            errors.Supported(new FieldPath("spec.usages").Index(i), usages[i], Usages);
        for (var i = 1; i < usages.Count; i++)
        {
            if (usages.IndexOf(usages[i]) < i)
                errors.Add(FieldError.Duplicate(new FieldPath("spec.usages").Index(i), usages[i]));
        }

        if (spec.Str("signerName") == "kubernetes.io/legacy-unknown")
            errors.Add(FieldError.Invalid("spec.signerName", spec.Str("signerName"), "the legacy signerName is not allowed via this API version"));
        else
            SignerName(errors, "spec.signerName", spec.Str("signerName"));
        if (spec.Num("expirationSeconds") is < 600 and var seconds)
            errors.Add(FieldError.Invalid("spec.expirationSeconds", seconds, "may not specify a duration less than 600 seconds (10 minutes)"));
        Conditions(errors, "status.conditions", obj);
    }

    /// <inheritdoc/>
    public override void ValidateSubresourceUpdate(string subresource, JsonObject obj, JsonObject old, List<FieldError> errors)
    {
        Validate(obj, errors);
        foreach (var type in Final)
        {
            if (Count(obj, type) < Count(old, type))
                errors.Add(FieldError.Forbidden("status.conditions", $"updates may not remove a condition of type {GoText.Quote(type)}"));
        }

        foreach (var type in subresource == "approval" ? [] : Decisions)
        {
            if (Count(obj, type) > Count(old, type))
                errors.Add(FieldError.Forbidden("status.conditions", $"updates may not add a condition of type {GoText.Quote(type)}"));
            else if (Count(obj, type) == Count(old, type) && !OfType(obj, type).SequenceEqual(OfType(old, type), JsonEquality.Instance))
                errors.Add(FieldError.Forbidden("status.conditions", $"updates may not modify a condition of type {GoText.Quote(type)}"));
        }

        var (now, was) = (obj.Obj("status").Str("certificate"), old.Obj("status").Str("certificate"));
        if (now == was)
            return;
        if (subresource != "status")
            errors.Add(FieldError.Forbidden("status.certificate", "updates may not set certificate content"));
        else if (was.Length > 0)
            errors.Add(FieldError.Forbidden("status.certificate", "updates may not modify existing certificate content"));
        if (now.Length > 0 && CertificateError(now) is { } wrong)
            errors.Add(FieldError.Invalid("status.certificate", "<certificate data>", wrong));
    }

    /// <summary>The name of a signer: a domain and a path.</summary>
    internal static void SignerName(List<FieldError> errors, FieldPath at, string name)
    {
        if (name.Length == 0)
        {
            errors.Add(FieldError.Required(at));
            return;
        }

        var parts = name.Split('/');
        if (parts.Length != 2)
        {
            errors.Add(FieldError.Invalid(at, name, "must be a fully qualified domain and path of the form 'example.com/signer-name'"));
            return;
        }

        if (!parts[0].Contains('.'))
            errors.Add(FieldError.Invalid(at, parts[0], "should be a domain with at least two segments separated by dots"));
        foreach (var label in parts[0].Split('.'))
        {
            foreach (var rule in Names.Dns1123Label(label))
                errors.Add(FieldError.Invalid(at, parts[0], $"validating label {GoText.Quote(label)}: {rule}"));
        }

        foreach (var rule in Names.Dns1123Subdomain(parts[1]))
            errors.Add(FieldError.Invalid(at, parts[1], $"validating path {GoText.Quote(parts[1])}: {rule}"));
    }

    private static void Sign(JsonObject spec, UserInfo user)
    {
        spec["username"] = user.Name;
        if (user.Uid.Length > 0)
            spec["uid"] = user.Uid;
        if (user.Groups.Count > 0)
            spec["groups"] = new JsonArray([.. user.Groups.Select(static g => JsonValue.Create(g))]);
        if (user.Extra is not { Count: > 0 } extra)
            return;
        var map = new JsonObject();
        foreach (var (key, values) in extra)
            map[key] = new JsonArray([.. values.Select(static v => JsonValue.Create(v))]);
        spec["extra"] = map;
    }

    // The server tells when a condition was last touched and when it turned.
    private static void Times(JsonObject status, JsonObject? old, string now)
    {
        foreach (var (_, condition) in status.Items("conditions"))
        {
            condition.Default("lastUpdateTime", now);
            if (condition.Has("lastTransitionTime"))
                continue;
            var was = old.Items("conditions").Select(static c => c.Item).FirstOrDefault(c => c.Str("type") == condition.Str("type") && c.Str("status") == condition.Str("status"));
            condition["lastTransitionTime"] = was.Has("lastTransitionTime") ? was.Str("lastTransitionTime") : now;
        }
    }

    private static void Conditions(List<FieldError> errors, FieldPath path, JsonObject obj)
    {
        var types = new HashSet<string>(StringComparer.Ordinal);
        foreach (var (i, condition) in obj.Obj("status").Items("conditions"))
        {
            var (at, type, status) = (path.Index(i), condition.Str("type"), condition.Str("status"));
            if (type.Length == 0)
                errors.Add(FieldError.Required(at.Child("type")));
            if (Final.Contains(type))
                errors.OneOf(at.Child("status"), status, "True");
            else
                errors.OneOf(at.Child("status"), status, "False", "True", "Unknown");
            if ((type == "Approved" && types.Contains("Denied")) || (type == "Denied" && types.Contains("Approved")))
                errors.Add(FieldError.Invalid(at.Child("type"), type, "Approved and Denied conditions are mutually exclusive"));
            if (!types.Add(type))
                errors.Add(FieldError.Duplicate(at.Child("type"), type));
        }
    }

    private static IEnumerable<JsonObject> OfType(JsonObject obj, string type) =>
        obj.Obj("status").Items("conditions").Select(static c => c.Item).Where(c => c.Str("type") == type);

    private static int Count(JsonObject obj, string type) => OfType(obj, type).Count();

    private static string? RequestError(string base64)
    {
        try
        {
            var text = Encoding.UTF8.GetString(Convert.FromBase64String(base64));
            if (!PemEncoding.TryFind(text, out var fields) || text.AsSpan()[fields.Label] is not "CERTIFICATE REQUEST")
                return "PEM block type must be CERTIFICATE REQUEST";

            // Loading checks the signature with the request's own key.
            CertificateRequest.LoadSigningRequestPem(text, HashAlgorithmName.SHA256, CertificateRequestLoadOptions.UnsafeLoadCertificateExtensions);
            return null;
        }
        catch (Exception e) when (e is CryptographicException or FormatException or ArgumentException or NotSupportedException)
        {
            return e.Message;
        }
    }

    private static string? CertificateError(string base64)
    {
        try
        {
            var text = Encoding.UTF8.GetString(Convert.FromBase64String(base64)).AsSpan();
            var found = 0;
            while (PemEncoding.TryFind(text, out var fields))
            {
                var label = text[fields.Label].ToString();
                if (label != "CERTIFICATE")
                    return $"only CERTIFICATE PEM blocks are allowed, found {GoText.Quote(label)}";
                using var certificate = X509CertificateLoader.LoadCertificate(Convert.FromBase64String(text[fields.Base64Data].ToString()));
                found++;
                text = text[fields.Location.End..];
            }

            return found == 0 ? "must contain at least one CERTIFICATE PEM block" : null;
        }
        catch (Exception e) when (e is CryptographicException or FormatException)
        {
            return e.Message;
        }
    }

    private sealed class JsonEquality : IEqualityComparer<JsonObject>
    {
        public static JsonEquality Instance { get; } = new();

        public bool Equals(JsonObject? x, JsonObject? y) => JsonNode.DeepEquals(x, y);

        public int GetHashCode(JsonObject obj) => obj.Count;
    }
}
