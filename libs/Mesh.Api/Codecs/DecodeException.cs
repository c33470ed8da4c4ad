namespace Mesh.Api.Codecs;

/// <summary>A body that cannot be decoded; the message is what Kubernetes says (the gateway answers 400 with it). The only exception of the decoders.</summary>
public sealed class DecodeException : Exception
{
    /// <summary>An error with Kubernetes' words.</summary>
    public DecodeException(string message)
        : base(message)
    {
    }

    /// <summary>An error with its cause.</summary>
    public DecodeException(string message, Exception inner)
        : base(message, inner)
    {
    }
}

/// <summary>apiVersion and kind of a body; empty strings when it does not say.</summary>
/// <param name="ApiVersion">"apps/v1".</param>
/// <param name="Kind">"Deployment".</param>
public readonly record struct TypeMeta(string ApiVersion, string Kind);
