namespace Mesh.Store.Tests.Support;

/// <summary>A real store process on a data directory of its own; killed, not stopped, when asked.</summary>
internal sealed class StoreProcess : ServiceProcess
{
    public StoreProcess(string extra = "")
        : this(extra, Directory.CreateTempSubdirectory("mesh-store-test-").FullName, FreePort())
    {
    }

    private StoreProcess(string extra, string dataDir, int port)
        : base(typeof(StoreService).Assembly, $"--data-dir {dataDir}/data --listen http://127.0.0.1:{port} {extra}") => (DataDir, Port) = (dataDir, port);

    public string DataDir { get; }

    public int Port { get; }

    public string Address => $"http://127.0.0.1:{Port}";

    public override async ValueTask DisposeAsync()
    {
        await base.DisposeAsync();
        Directory.Delete(DataDir, recursive: true);
    }
}
