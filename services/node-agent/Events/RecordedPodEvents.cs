using Mesh.Api.Core.V1;
using Mesh.Client;

namespace Mesh.NodeAgent.Events;

/// <summary>Pod events through the client's recorder.</summary>
internal sealed class RecordedPodEvents(IEventRecorder recorder) : IPodEvents
{
    public void Record(Pod pod, string? container, bool warning, string reason, string message) =>
        recorder.Event(PodReferences.Of(pod, container), warning ? "Warning" : "Normal", reason, message);
}
