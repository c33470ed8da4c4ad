namespace Mesh.Security;

/// <summary>Who makes a request, as authentication found out (user.Info of the field).</summary>
/// <param name="Name">User name, for instance <c>system:serviceaccount:default:builder</c>.</param>
/// <param name="Uid">Unique id of the user where the source has one, else empty.</param>
/// <param name="Groups">Groups the user is in; the order is the source's.</param>
/// <param name="Extra">Further facts (pod name and uid of a bound token, credential id); null when there are none.</param>
public sealed record UserInfo(
    string Name,
    string Uid,
    IReadOnlyList<string> Groups,
    IReadOnlyDictionary<string, IReadOnlyList<string>>? Extra = null)
{
    /// <summary>A request that showed no credentials.</summary>
    public static UserInfo Anonymous { get; } = new(UserNames.Anonymous, "", [UserNames.Unauthenticated]);

    /// <summary>Whether the user is in the group.</summary>
    public bool InGroup(string group)
    {
        for (var i = 0; i < Groups.Count; i++)
        {
            if (Groups[i] == group) return true;
        }

        return false;
    }

    /// <summary>The same user, in one group more (no change when already in it).</summary>
    public UserInfo WithGroup(string group) => InGroup(group) ? this : this with { Groups = [.. Groups, group] };
}
