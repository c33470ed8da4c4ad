using Mesh.Api.Apps.V1;
using Mesh.Api.Core.V1;
using Mesh.Api.Policy.V1;
using Mesh.Client;
using Mesh.Controllers.Framework;
using Mesh.Controllers.Workloads;

namespace Mesh.Controllers.Disruption;

/// <summary>Keeps every PodDisruptionBudget's status true, which is what evictions are decided by.</summary>
internal sealed class DisruptionController : KeyedController
{
    private readonly IInformer<PodDisruptionBudget> _budgets;
    private readonly IInformer<Pod> _pods;
    private readonly ControllerScales _scales;
    private readonly IEventRecorder _recorder;

    internal DisruptionController(ControllerContext context)
        : base(context, "disruption-controller", "disruption")
    {
        _recorder = context.Recorder("controllermanager");
        _budgets = WatchPrimary<PodDisruptionBudget>();
        _pods = Watch<Pod>();
        _pods.AddHandler((old, now) =>
        {
            foreach (var pod in new[] { old, now }) Touch(pod?.Metadata.Namespace, pod?.Metadata.Labels);
        });
        _scales = new ControllerScales(Watch<ReplicationController>(), Watch<ReplicaSet>(), Watch<Deployment>(), Watch<StatefulSet>(), TouchAll);
    }

    protected override async Task<ReconcileResult> ReconcileAsync(ObjectKey key, CancellationToken ct)
    {
        if (_budgets.Lister.Get(key.Namespace, key.Name) is not { } budget) return ReconcileResult.Done;
        var selector = LabelSelectors.Of(budget.Spec?.Selector);
        var pods = _pods.Lister.List(key.Namespace).Where(p => selector.Matches(p.Metadata.Labels)).ToList();
        if (pods.Count == 0) _recorder.Normal(budget, "NoPods", "No matching pods found");
        Expectation expectation;
        try
        {
            expectation = DisruptionDecision.Expect(budget.Spec, pods.Count, () => Scale(budget, pods, selector.ToString()));
        }
        catch (InvalidOperationException e)
        {
            _recorder.Warning(budget, "CalculateExpectedPodCountFailed", "Failed to calculate the number of expected pods: " + e.Message);
            await ReportAsync(budget, DisruptionDecision.Unknown(budget, e.Message, Context.Now), ct).ConfigureAwait(false);
            return ReconcileResult.Done;
        }

        var verdict = DisruptionDecision.Decide(budget, pods, expectation, Context.Now);
        foreach (var pod in verdict.NotDeleted)
            _recorder.Warning(pod, "NotDeleted", $"Pod was expected by PDB {key.Namespace}/{key.Name} to be deleted but it wasn't");
        await ReportAsync(budget, verdict.Status, ct).ConfigureAwait(false);
        return verdict.Recheck is { } after ? ReconcileResult.After(after) : ReconcileResult.Done;
    }

    private int Scale(PodDisruptionBudget budget, IReadOnlyList<Pod> pods, string selector)
    {
        var (total, unmanaged) = _scales.Of(pods);
        if (unmanaged)
        {
            _recorder.Warning(
                budget, "UnmanagedPods",
                $"Pods selected by this PodDisruptionBudget (selector: {selector}) were found to be unmanaged. As a result, the status of the PDB cannot be calculated correctly, "
                + "which may result in undefined behavior. To account for these pods please set \".spec.minAvailable\" field of the PDB to an integer value.");
        }

        return total;
    }

    private async Task ReportAsync(PodDisruptionBudget budget, PodDisruptionBudgetStatus status, CancellationToken ct)
    {
        if (PodDisruptionBudgetStatus.SemanticEquals(budget.Status ?? new(), status)) return;
        var changed = budget.Clone();
        changed.Status = status;
        await Client.UpdateStatusAsync(changed, ct).ConfigureAwait(false);
    }

    private void Touch(string? ns, Dictionary<string, string>? labels)
    {
        if (ns is null) return;
        foreach (var budget in _budgets.Lister.List(ns))
        {
            if (LabelSelectors.Of(budget.Spec?.Selector).Matches(labels)) Enqueue(ObjectKey.Of(budget));
        }
    }

    private void TouchAll(string? ns)
    {
        foreach (var budget in _budgets.Lister.List(ns)) Enqueue(ObjectKey.Of(budget));
    }
}
