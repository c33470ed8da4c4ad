using Mesh.Gateway.Storage;

namespace Mesh.Gateway.Tests.Etcd;

public sealed class ProgressTests
{
    /// <summary>etcd 3.4 before 3.4.31 and 3.5 before 3.5.13 answer progress requests ahead of events that came before.</summary>
    [Theory]
    [InlineData("3.4.23", false)]
    [InlineData("3.4.31", true)]
    [InlineData("3.5.12", false)]
    [InlineData("3.5.17", true)]
    [InlineData("3.6.0-rc.1", true)]
    [InlineData("4.0.0", true)]
    [InlineData("3.3.27", false)]
    [InlineData("", false)]
    public void Which_versions_tell_progress_in_order(string version, bool inOrder) => Assert.Equal(inOrder, EtcdClient.TellsProgressInOrder(version));
}
