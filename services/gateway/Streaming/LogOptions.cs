using System.Globalization;
using Mesh.Api;
using Mesh.Gateway.Http;
using Microsoft.AspNetCore.Http;

namespace Mesh.Gateway.Streaming;

/// <summary>PodLogOptions of a request for a pod's log, looked at before the pod is.</summary>
internal static class LogOptions
{
    /// <summary>Refuses options that contradict themselves.</summary>
    /// <exception cref="ApiException">400 for what cannot be read; 422 for what breaks a rule.</exception>
    public static void Check(string pod, IQueryCollection query)
    {
        var (tail, bytes, seconds) = (QueryOptions.Number(query, "tailLines"), QueryOptions.Number(query, "limitBytes"), QueryOptions.Number(query, "sinceSeconds"));
        var time = query["sinceTime"].ToString();
        if (time.Length > 0 && !IsTime(time))
        {
            // A date alone lacks what begins with T; of what is no date, Go stops at the year.
            var (rest, wanted) = DateTime.TryParseExact(time, "yyyy-MM-dd", CultureInfo.InvariantCulture, DateTimeStyles.None, out _) ? ("", "T") : (time, "2006");
            throw new ApiException(Statuses.BadRequest($"parsing time {GoText.Quote(time)} as \"2006-01-02T15:04:05Z07:00\": cannot parse {GoText.Quote(rest)} as {GoText.Quote(wanted)}"));
        }

        var errors = new List<FieldError>();
        if (tail < 0) errors.Add(FieldError.Invalid("tailLines", tail, "must be greater than or equal to 0"));
        if (bytes < 1) errors.Add(FieldError.Invalid("limitBytes", bytes, "must be greater than 0"));
        if (seconds is not null && time.Length > 0)
            errors.Add(FieldError.Forbidden(FieldPath.Nameless, "at most one of `sinceTime` or `sinceSeconds` may be specified"));
        else if (seconds < 1)
            errors.Add(FieldError.Invalid("sinceSeconds", seconds, "must be greater than 0"));

        // One stream alone is an alpha feature (PodLogsQuerySplitStreams).
        if (query.ContainsKey("stream")) errors.Add(FieldError.Forbidden("stream", "may not be specified"));
        if (errors.Count > 0) throw new ApiException(Statuses.Invalid("", "PodLogOptions", pod, errors));
    }

    /// <summary>RFC 3339: a date, a time and a zone.</summary>
    private static bool IsTime(string text) =>
        text.Length >= "2006-01-02T15:04:05Z".Length && text[10] == 'T' && (text[^1] == 'Z' || text[^6] is '+' or '-')
        && DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out _);
}
