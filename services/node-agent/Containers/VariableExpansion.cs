using System.Text;

namespace Mesh.NodeAgent.Containers;

/// <summary>
/// Kubernetes' $(NAME) references: replaced when the name is known, left as written when it is not; $$ is a literal $.
/// </summary>
internal static class VariableExpansion
{
    public static string Expand(string input, Func<string, string?> lookup)
    {
        var at = input.IndexOf('$', StringComparison.Ordinal);
        if (at < 0)
            return input;
        var output = new StringBuilder(input.Length);
        output.Append(input, 0, at);
        while (at < input.Length)
        {
            var c = input[at];
            if (c != '$' || at + 1 == input.Length)
            {
                output.Append(c);
                at++;
                continue;
            }

            var next = input[at + 1];
            if (next == '$')
            {
                output.Append('$');
                at += 2;
            }
            else if (next == '(' && input.IndexOf(')', at + 2) is var close and >= 0)
            {
                var name = input[(at + 2)..close];
                output.Append(lookup(name) ?? $"$({name})");
                at = close + 1;
            }
            else
            {
                output.Append('$').Append(next);
                at += 2;
            }
        }

        return output.ToString();
    }
}
