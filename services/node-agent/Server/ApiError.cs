namespace Mesh.NodeAgent.Server;

/// <summary>A refusal of the agent's API: status code and the text the gateway passes on.</summary>
internal sealed class ApiError(int code, string message) : Exception(message)
{
    public int Code { get; } = code;
}
