using Mesh.NodeAgent.Network;

namespace Mesh.NodeAgent.Tests.Network;

public class NatTableTests
{
    [Theory]
    [InlineData("table ip nat {\n\tchain POSTROUTING {\n\t\ttype nat hook postrouting priority srcnat; policy accept;\n\t}\n}\n", true)]
    [InlineData("table ip nat {\n}\n", true)]
    [InlineData("table ip nat {\n\tchain POSTROUTING {\n\t\ttype nat hook postrouting priority srcnat; policy accept;\n\t\tcounter masquerade\n\t}\n}\n", false)]
    [InlineData("table ip nat {\n\tchain DOCKER {\n\t}\n}\n", false)]
    [InlineData("", false)]
    public void OnlyATableWithoutRulesAndForeignChainsIsEmpty(string listing, bool empty) => Assert.Equal(empty, NatTable.IsEmpty(listing));
}
