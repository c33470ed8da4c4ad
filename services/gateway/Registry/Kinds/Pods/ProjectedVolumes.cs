using System.Text.Json.Nodes;
using Mesh.Api;

namespace Mesh.Gateway.Registry.Kinds.Pods;

/// <summary>Rules of projected volumes: several sources whose files share one directory, so no path comes twice.</summary>
internal static class ProjectedVolumes
{
    private const string Conflict = "conflicting duplicate paths";
    private static readonly string[] Kinds = ["secret", "configMap", "downwardAPI", "serviceAccountToken", "clusterTrustBundle", "podCertificate"];

    public static void Check(List<FieldError> errors, FieldPath at, JsonObject projected)
    {
        FileVolumes.Mode(errors, at.Child("defaultMode"), projected.Num("defaultMode"));
        var paths = new HashSet<string>(StringComparer.Ordinal);
        foreach (var (i, source) in projected.Items("sources"))
        {
            var path = at.Child("sources").Index(i);
            Keys(errors, at, path, source, "secret", paths);
            Keys(errors, at, path, source, "configMap", paths);
            foreach (var (_, file) in source.Obj("downwardAPI").Items("items"))
            {
                FileVolumes.DownwardFile(errors, path.Child("downwardAPI"), file);
                if (file.Str("path").Length > 0 && !paths.Add(file.Str("path")))
                    errors.Add(FieldError.Invalid(at, file.Str("path"), Conflict));
            }

            if (source.Obj("serviceAccountToken") is { } token)
                Token(errors, at, path.Child("serviceAccountToken"), token);
            if (source.Obj("clusterTrustBundle") is { } bundle)
                TrustBundle(errors, at, path.Child("clusterTrustBundle"), bundle, paths);
            if (Kinds.Count(source.Has) > 1)
                errors.Add(FieldError.Forbidden(path, "may not specify more than 1 volume type per source"));
        }
    }

    private static void Keys(List<FieldError> errors, FieldPath at, FieldPath path, JsonObject source, string kind, HashSet<string> paths)
    {
        if (source.Obj(kind) is not { } reference)
            return;
        VolumeSources.Require(errors, path.Child(kind), reference, "name");
        foreach (var (k, item) in reference.Items("items"))
        {
            FileVolumes.KeyToPath(errors, path.Child(kind, "items").Index(k), item);
            if (item.Str("path").Length > 0 && !paths.Add(item.Str("path")))
                errors.Add(FieldError.Invalid(at, reference.Str("name"), Conflict));
        }
    }

    private static void Token(List<FieldError> errors, FieldPath at, FieldPath path, JsonObject token)
    {
        var seconds = token.Num("expirationSeconds") ?? 0;
        if (seconds < 600)
            errors.Add(FieldError.Invalid(path.Child("expirationSeconds"), seconds, "may not specify a duration less than 10 minutes"));
        if (seconds > 1L << 32)
            errors.Add(FieldError.Invalid(path.Child("expirationSeconds"), seconds, "may not specify a duration larger than 2^32 seconds"));
        var before = errors.Count;
        if (token.Str("path").Length == 0)
            errors.Add(FieldError.Required(at.Child("path")));
        else
            VolumeValidation.LocalPath(errors, at.Child("path"), token.Str("path"));
        if (token.Str("path").Length > 0)
            errors.Name(before, Ratchet.TokenPath);
    }

    private static void TrustBundle(List<FieldError> errors, FieldPath at, FieldPath path, JsonObject bundle, HashSet<string> paths)
    {
        var (name, signer) = (bundle.Has("name"), bundle.Has("signerName"));
        if (name && signer)
            errors.Add(FieldError.Invalid(path, bundle, "only one of name and signerName may be used"));
        else if (name)
        {
            if (bundle.Str("name").Length == 0)
                errors.Add(FieldError.Required(path.Child("name"), "must be a valid object name"));
            if (bundle.Has("labelSelector"))
                errors.Add(FieldError.Invalid(path.Child("labelSelector"), bundle["labelSelector"], "labelSelector must be unset if name is specified"));
        }
        else if (signer)
        {
            if (bundle.Str("signerName").Length == 0)
                errors.Add(FieldError.Required(path.Child("signerName"), "must be a valid signer name"));
            errors.LabelSelector(path.Child("labelSelector"), bundle.Obj("labelSelector"), valueRule: null);
        }
        else
            errors.Add(FieldError.Required(path, "either name or signerName must be specified"));

        if (bundle.Str("path").Length == 0)
            errors.Add(FieldError.Required(path.Child("path")));
        VolumeValidation.LocalPath(errors, path.Child("path"), bundle.Str("path"));
        if (!paths.Add(bundle.Str("path")))
            errors.Add(FieldError.Invalid(at, bundle.Str("path"), Conflict));
    }
}
