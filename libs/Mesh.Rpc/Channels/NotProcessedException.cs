namespace Mesh.Rpc;

/// <summary>
/// Why a call failed when the server has surely done nothing for it: nobody could be connected to, or the server said that it did not begin.
/// It is the <c>DebugException</c> of the status; such a call may be repeated whatever it does.
/// </summary>
public sealed class NotProcessedException : IOException
{
    /// <summary>With what happened.</summary>
    public NotProcessedException(string message, Exception? inner = null)
        : base(message, inner)
    {
    }
}
