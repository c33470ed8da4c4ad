namespace Mesh.Scheduler.Constraints;

/// <summary>The rule of these that keeps a node from taking a pod; the first in Kubernetes' order of filters.</summary>
internal enum Refusal : byte
{
    /// <summary>None does.</summary>
    None,

    /// <summary>The node lacks a label that its spread constraints name.</summary>
    SpreadLabelMissing,

    /// <summary>The node's domain would have too many of the pods.</summary>
    Spread,

    /// <summary>The pods it must be with are not in the node's domain.</summary>
    Affinity,

    /// <summary>Pods it must not be with are in the node's domain.</summary>
    AntiAffinity,

    /// <summary>Pods in the node's domain must not be with it.</summary>
    ExistingAntiAffinity,
}

/// <summary>What users read of refusals.</summary>
internal static class Refusals
{
    /// <summary>The words of events and conditions.</summary>
    public static string Text(this Refusal refusal) => refusal switch
    {
        Refusal.SpreadLabelMissing => "node(s) didn't match pod topology spread constraints (missing required label)",
        Refusal.Spread => "node(s) didn't match pod topology spread constraints",
        Refusal.Affinity => "node(s) didn't match pod affinity rules",
        Refusal.AntiAffinity => "node(s) didn't match pod anti-affinity rules",
        _ => "node(s) didn't satisfy existing pods anti-affinity rules",
    };

    /// <summary>Whether taking pods away could lift it: no label appears and no pod to be near comes by that.</summary>
    public static bool IsResolvable(this Refusal refusal) => refusal is not (Refusal.SpreadLabelMissing or Refusal.Affinity);
}
