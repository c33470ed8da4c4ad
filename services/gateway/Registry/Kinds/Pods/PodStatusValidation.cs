using System.Text.Json.Nodes;
using Mesh.Api;

namespace Mesh.Gateway.Registry.Kinds.Pods;

/// <summary>What a writer of a pod's status may say.</summary>
internal static class PodStatusValidation
{
    public static void Change(List<FieldError> errors, JsonObject obj, JsonObject old)
    {
        var (status, was, spec) = (obj.Obj("status"), old.Obj("status"), old.Obj("spec"));
        foreach (var (i, condition) in status.Items("conditions"))
        {
            var type = condition.Str("type");
            if (type is not ("PodScheduled" or "Ready" or "Initialized"))
                errors.Rules(new FieldPath("metadata.conditions").Index(i).Child("Type"), type, Names.QualifiedName(type));
        }

        if (obj.Obj("spec").Str("nodeName") != spec.Str("nodeName"))
            errors.Add(FieldError.Forbidden("status.nodeName", "may not be changed directly"));
        if (status.Str("nominatedNodeName") is { Length: > 0 } nominated && nominated != was.Str("nominatedNodeName"))
            errors.Rules("status.nominatedNodeName", nominated, Names.Dns1123Subdomain(nominated));
        if (was.Has("qosClass"))
            errors.Unchanged("status.qosClass", status?["qosClass"], was?["qosClass"]);
        Ended(errors, "containerStatuses", status, was, spec.Str("restartPolicy"), spec.Items("containers"));
        Ended(errors, "initContainerStatuses", status, was, spec.Str("restartPolicy"), spec.Items("initContainers"));
        Ended(errors, "ephemeralContainerStatuses", status, was, "Never", []);
        Addresses(errors, "podIPs", status);
        Addresses(errors, "hostIPs", status);
    }

    // What ended and is not started again stays ended.
    private static void Ended(
        List<FieldError> errors, string list, JsonObject? status, JsonObject? was, string podPolicy, IEnumerable<(int Index, JsonObject Item)> containers)
    {
        if (podPolicy == "Always")
            return;
        foreach (var (i, old) in was.Items(list))
        {
            if (old.Obj("state", "terminated") is not { } ended)
                continue;
            var container = containers.Select(static c => c.Item).FirstOrDefault(c => c.Str("name") == old.Str("name"));
            if (container.Has("restartPolicy") || container.Has("restartPolicyRules") || (podPolicy == "OnFailure" && (ended.Num("exitCode") ?? 0) != 0))
                continue;
            if (status.Items(list).Any(s => s.Item.Str("name") == old.Str("name") && !s.Item.Obj("state").Has("terminated")))
                errors.Add(FieldError.Forbidden(new FieldPath("status").Child(list).Index(i).Child("state"), "may not be transitioned to non-terminated state"));
        }
    }

    private static void Addresses(List<FieldError> errors, string list, JsonObject? status)
    {
        var path = new FieldPath("status").Child(list);
        var ips = status.Items(list).Select(static a => a.Item.Str("ip")).ToList();
        if (ips.Count == 0)
            return;
        if (list == "hostIPs" && status.Str("hostIP") != ips[0])
            errors.Add(FieldError.Invalid(path.Index(0).Child("ip"), ips[0], "must be equal to `hostIP`"));
        for (var i = 0; i < ips.Count; i++)
            errors.Ip(path.Index(i), ips[i]);
        if (ips.Count == 1)
            return;
        if (ips.Count > 2 || ips.Count(static ip => ip.Contains(':')) != 1)
            errors.Add(FieldError.Invalid(path, status![list], "may specify no more than one IP for each IP family"));
        for (var i = 1; i < ips.Count; i++)
        {
            if (ips.IndexOf(ips[i]) < i)
                errors.Add(FieldError.Duplicate(path.Index(i), status.Arr(list)![i]));
        }
    }
}
