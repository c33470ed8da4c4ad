namespace Mesh.Hosting;

/// <summary>
/// A service of the mesh: a name and what it registers. It may be configured several times in one process (a restart, hollow nodes), so it
/// keeps no state of its own; its work runs in hosted services.
/// </summary>
public interface IMeshService
{
    /// <summary>Name in flags (<c>--store.data-dir</c>), variables (<c>MESH_STORE_DATA_DIR</c>), the configuration file and logs: lower case, dashes.</summary>
    string Name { get; }

    /// <summary>Binds options, registers services, says where to listen. Called once before each start; does no work and no I/O beyond reading files.</summary>
    /// <exception cref="SettingsException">A setting is missing or wrong.</exception>
    void Configure(MeshServiceBuilder builder);
}
