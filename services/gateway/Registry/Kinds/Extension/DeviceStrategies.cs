using System.Text.Json.Nodes;
using Mesh.Api;

namespace Mesh.Gateway.Registry.Kinds.Extension;

/// <summary>ResourceClaims (KEP-4381): a wish for devices; it never changes.</summary>
internal sealed class ResourceClaimStrategy(string version) : KindStrategy(Of("resource.k8s.io", version, "resourceclaims"), hasStatus: true)
{
    /// <inheritdoc/>
    public override void Default(JsonObject obj) => DeviceClaims.Default(obj.Obj("spec"));

    /// <inheritdoc/>
    public override void Validate(JsonObject obj, List<FieldError> errors) => DeviceClaims.Spec(errors, "spec", Spec(obj));

    /// <inheritdoc/>
    public override void ValidateUpdate(JsonObject obj, JsonObject old, List<FieldError> errors) => errors.Unchanged("spec", obj["spec"], old["spec"]);
}

/// <summary>ResourceClaimTemplates.</summary>
internal sealed class ResourceClaimTemplateStrategy(string version) : KindStrategy(Of("resource.k8s.io", version, "resourceclaimtemplates"))
{
    /// <inheritdoc/>
    public override void Default(JsonObject obj) => DeviceClaims.Default(obj.Obj("spec", "spec"));

    /// <inheritdoc/>
    public override void Validate(JsonObject obj, List<FieldError> errors)
    {
        errors.Annotations("spec.metadata.annotations", Spec(obj).Obj("metadata", "annotations"));
        errors.Labels("spec.metadata.labels", Spec(obj).Obj("metadata", "labels"));
        DeviceClaims.Spec(errors, "spec.spec", Spec(obj).Obj("spec") ?? []);
    }

    /// <inheritdoc/>
    public override void ValidateUpdate(JsonObject obj, JsonObject old, List<FieldError> errors) => errors.Unchanged("spec", obj["spec"], old["spec"]);
}

/// <summary>DeviceClasses.</summary>
internal sealed class DeviceClassStrategy(string version) : KindStrategy(Of("resource.k8s.io", version, "deviceclasses"), generation: true)
{
    /// <inheritdoc/>
    public override void Validate(JsonObject obj, List<FieldError> errors)
    {
        DeviceClaims.Selectors(errors, "spec.selectors", Spec(obj));
        foreach (var (i, config) in Spec(obj).Items("config"))
            DeviceClaims.Opaque(errors, new FieldPath("spec.config").Index(i), config);
    }
}

/// <summary>ResourceSlices: devices that a driver offers, on one node or many.</summary>
internal sealed class ResourceSliceStrategy(string version) : KindStrategy(Of("resource.k8s.io", version, "resourceslices"), generation: true)
{
    private const int MaxDevices = 128;
    private static readonly string[] Fields = ["spec.nodeName", "spec.driver"];
    private static readonly string[] Places = ["nodeName", "nodeSelector", "allNodes", "perDeviceNodeSelection"];

    /// <inheritdoc/>
    public override IReadOnlyList<string> SelectableFields => Fields;

    /// <inheritdoc/>
    public override string[] SelectableValues(JsonObject obj) => [obj.Obj("spec").Str("nodeName"), obj.Obj("spec").Str("driver")];

    /// <inheritdoc/>
    public override void Validate(JsonObject obj, List<FieldError> errors)
    {
        var spec = Spec(obj);
        Pods.VolumeSources.CsiDriver(errors, "spec.driver", spec.Str("driver"));
        var pool = spec.Obj("pool");
        if (pool.Str("name").Length == 0)
            errors.Add(FieldError.Required("spec.pool.name"));
        if ((pool.Num("resourceSliceCount") ?? 0) <= 0)
            errors.Add(FieldError.Invalid("spec.pool.resourceSliceCount", pool.Num("resourceSliceCount") ?? 0, "must be greater than zero"));
        errors.NonNegative("spec.pool.generation", pool.Num("generation"));
        if (Places.Count(spec.Has) != 1)
            errors.Add(FieldError.Required("spec", "exactly one of `nodeName`, `nodeSelector`, `allNodes`, `perDeviceNodeSelection` is required"));
        if (spec.Obj("nodeSelector") is { } selector)
            Pods.SchedulingValidation.NodeSelector(errors, "spec.nodeSelector", selector);
        var devices = spec.Items("devices").ToList();
        if (devices.Count > MaxDevices)
            errors.Add(FieldError.TooMany("spec.devices", devices.Count, MaxDevices));
        DeviceClaims.UniqueNames(errors, "spec.devices", devices);
    }

    /// <inheritdoc/>
    public override void ValidateUpdate(JsonObject obj, JsonObject old, List<FieldError> errors)
    {
        errors.Unchanged("spec.driver", Spec(obj)["driver"], Spec(old)["driver"]);
        errors.Unchanged("spec.pool.name", Spec(obj).Obj("pool")?["name"], Spec(old).Obj("pool")?["name"]);
        errors.Unchanged("spec.nodeName", Spec(obj)["nodeName"], Spec(old)["nodeName"]);
    }
}

/// <summary>Defaults and rules of what claims ask for.</summary>
internal static class DeviceClaims
{
    private const int MaxRequests = 32;

    public static void Default(JsonObject? spec)
    {
        foreach (var (_, request) in spec.Obj("devices").Items("requests"))
        {
            if (request.Obj("exactly") is { } exactly)
                Count(exactly);
            foreach (var (_, alternative) in request.Items("firstAvailable"))
                Count(alternative);
        }

        static void Count(JsonObject request)
        {
            request.Default("allocationMode", "ExactCount");
            if (request.Str("allocationMode") == "ExactCount")
                request.DefaultZero("count", 1);
        }
    }

    public static void Spec(List<FieldError> errors, FieldPath path, JsonObject spec)
    {
        var at = path.Child("devices", "requests");
        var requests = spec.Obj("devices").Items("requests").ToList();
        if (requests.Count > MaxRequests)
            errors.Add(FieldError.TooMany(at, requests.Count, MaxRequests));
        UniqueNames(errors, at, requests);
        foreach (var (i, request) in requests)
        {
            var item = at.Index(i);
            var alternatives = request.Items("firstAvailable").ToList();
            if (request.Has("exactly") == alternatives.Count > 0)
            {
                errors.Add(request.Has("exactly")
                    ? FieldError.Invalid(item, request, "exactly one of `exactly` or `firstAvailable` is required, but multiple fields are set")
                    : FieldError.Required(item, "exactly one of `exactly` or `firstAvailable` is required"));
            }

            if (request.Obj("exactly") is { } exactly)
                Request(errors, item.Child("exactly"), exactly);
            UniqueNames(errors, item.Child("firstAvailable"), alternatives);
            foreach (var (a, alternative) in alternatives)
                Request(errors, item.Child("firstAvailable").Index(a), alternative);
        }

        foreach (var (i, config) in spec.Obj("devices").Items("config"))
            Opaque(errors, path.Child("devices", "config").Index(i), config);
    }

    public static void Selectors(List<FieldError> errors, FieldPath path, JsonObject owner)
    {
        foreach (var (i, selector) in owner.Items("selectors"))
        {
            if (selector.Obj("cel") is not { } cel)
                errors.Add(FieldError.Required(path.Index(i).Child("cel")));
            else if (cel.Str("expression").Length == 0)
                errors.Add(FieldError.Required(path.Index(i).Child("cel", "expression")));
        }
    }

    public static void Opaque(List<FieldError> errors, FieldPath at, JsonObject config)
    {
        if (config.Obj("opaque") is not { } opaque)
        {
            errors.Add(FieldError.Required(at, "exactly one of `opaque` is required"));
            return;
        }

        Pods.VolumeSources.CsiDriver(errors, at.Child("opaque", "driver"), opaque.Str("driver"));
        if (!opaque.Has("parameters"))
            errors.Add(FieldError.Required(at.Child("opaque", "parameters")));
    }

    public static void UniqueNames(List<FieldError> errors, FieldPath path, IReadOnlyList<(int Index, JsonObject Item)> items)
    {
        var names = new HashSet<string>(StringComparer.Ordinal);
        foreach (var (i, item) in items)
        {
            var name = item.Str("name");
            if (name.Length == 0)
                errors.Add(FieldError.Required(path.Index(i).Child("name")));
            else
                errors.Rules(path.Index(i).Child("name"), name, Names.Dns1123Label(name));
            if (name.Length > 0 && !names.Add(name))
                errors.Add(FieldError.Duplicate(path.Index(i), name));
        }
    }

    private static void Request(List<FieldError> errors, FieldPath at, JsonObject request)
    {
        var device = request.Str("deviceClassName");
        if (device.Length == 0)
            errors.Add(FieldError.Required(at.Child("deviceClassName")));
        else
            errors.Rules(at.Child("deviceClassName"), device, Names.Dns1123Subdomain(device));
        Selectors(errors, at.Child("selectors"), request);
        switch (request.Str("allocationMode"))
        {
            case "All":
                if (request.Num("count") is { } count and not 0)
                    errors.Add(FieldError.Invalid(at.Child("count"), count, "must not be specified when allocationMode is 'All'"));
                break;
            case "ExactCount":
                if ((request.Num("count") ?? 0) <= 0)
                    errors.Add(FieldError.Invalid(at.Child("count"), request.Num("count") ?? 0, "must be greater than zero"));
                break;
            default:
                errors.Add(FieldError.NotSupported(at.Child("allocationMode"), request.Str("allocationMode"), "All", "ExactCount"));
                break;
        }
    }
}
