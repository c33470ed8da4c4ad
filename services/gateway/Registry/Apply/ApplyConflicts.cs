using System.Text;
using Mesh.Api;
using Mesh.Api.Apply;
using Mesh.Api.Meta.V1;

namespace Mesh.Gateway.Registry.Apply;

/// <summary>The answer to an apply that would change what others own.</summary>
internal static class ApplyConflicts
{
    /// <summary>409 Conflict with a cause for each field.</summary>
    public static ApiException Refuse(IReadOnlyList<ApplyConflict> conflicts) => new(new Status
    {
        StatusValue = "Failure",
        Message = Message(conflicts),
        Reason = StatusReason.Conflict,
        Details = new()
        {
            Causes = [.. conflicts.Select(static c => new StatusCause { Reason = "FieldManagerConflict", Message = "conflict with " + c.Owner.Description, Field = c.Path })],
        },
        Code = 409,
    });

    private static string Message(IReadOnlyList<ApplyConflict> conflicts)
    {
        if (conflicts is [var only]) return $"Apply failed with 1 conflict: conflict with {only.Owner.Description}: {only.Path}";
        var text = new StringBuilder($"Apply failed with {conflicts.Count} conflicts: ");
        text.AppendJoin('\n', conflicts.GroupBy(static c => c.Owner).Select(static g =>
            $"conflicts with {g.Key.Description}:\n{string.Join('\n', g.Select(static c => "- " + c.Path))}"));
        return text.ToString();
    }
}
