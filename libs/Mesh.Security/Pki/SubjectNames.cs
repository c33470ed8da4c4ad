using System.Security.Cryptography.X509Certificates;

namespace Mesh.Security.Pki;

/// <summary>Reads user and groups from a certificate's subject.</summary>
public static class SubjectNames
{
    private const string CommonNameOid = "2.5.4.3";
    private const string OrganizationOid = "2.5.4.10";

    /// <summary>The CN (last one wins, empty when none) and all O in the order they are encoded.</summary>
    public static (string CommonName, IReadOnlyList<string> Organizations) Read(X500DistinguishedName subject)
    {
        ArgumentNullException.ThrowIfNull(subject);
        var commonName = "";
        var organizations = new List<string>();
        foreach (var part in subject.EnumerateRelativeDistinguishedNames(reversed: false))
        {
            if (part.HasMultipleElements) continue;
            var value = part.GetSingleElementValue() ?? "";
            switch (part.GetSingleElementType().Value)
            {
                case CommonNameOid: commonName = value; break;
                case OrganizationOid: organizations.Add(value); break;
                default: break;
            }
        }

        return (commonName, organizations);
    }
}
