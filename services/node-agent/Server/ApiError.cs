namespace Mesh.NodeAgent.Server;

/// <summary>A refusal of the agent's API: status code and the text the gateway passes on.</summary>
internal sealed class ApiError(int code, string message) : Exception(message)
{
    public int Code { get; } = code;

    /// <summary>
    /// Whether the answer is a Status: clients that asked for an upgrade show that as what it is, a text only behind "unable to upgrade connection".
    /// </summary>
    public bool IsStatus { get; init; }
}
