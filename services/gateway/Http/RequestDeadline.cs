using Mesh.Api;

namespace Mesh.Gateway.Http;

/// <summary>How long a request may take: what its "timeout" parameter says, but never longer than the server allows.</summary>
internal static class RequestDeadline
{
    /// <summary>Of requests that say nothing, zero, or more than this.</summary>
    public static readonly TimeSpan Most = TimeSpan.FromSeconds(60);

    private const string Invalid = "invalid timeout specified in the request URL - ";

    /// <summary>The time a request gets; text: its parameter, "" when absent.</summary>
    /// <exception cref="ApiException">400 when it is no duration.</exception>
    public static TimeSpan Of(string text)
    {
        if (text.Length == 0) return Most;
        if (!GoDuration.TryParse(text, out var asked, out var why)) throw new ApiException(Statuses.BadRequest(Invalid + why));
        var time = asked.ToTimeSpan();
        return time > TimeSpan.Zero && time < Most ? time : Most;
    }
}
