using System.Runtime.InteropServices;

namespace Mesh.Events.MockKafka;

/// <summary>The functions of librdkafka that are used here (rdkafka.h, rdkafka_mock.h).</summary>
internal static unsafe partial class Native
{
    private const string Library = "librdkafka.so.1";

    [LibraryImport(Library)]
    internal static partial nint rd_kafka_conf_new();

    [LibraryImport(Library)]
    internal static partial nint rd_kafka_new(int type, nint conf, byte* errstr, nuint size);

    [LibraryImport(Library)]
    internal static partial void rd_kafka_destroy(nint handle);

    [LibraryImport(Library)]
    internal static partial nint rd_kafka_mock_cluster_new(nint handle, int brokers);

    [LibraryImport(Library)]
    internal static partial void rd_kafka_mock_cluster_destroy(nint cluster);

    [LibraryImport(Library)]
    internal static partial nint rd_kafka_mock_cluster_bootstraps(nint cluster);

    [LibraryImport(Library)]
    internal static partial int rd_kafka_mock_broker_set_down(nint cluster, int broker);

    [LibraryImport(Library)]
    internal static partial int rd_kafka_mock_broker_set_up(nint cluster, int broker);

    [LibraryImport(Library)]
    internal static partial int rd_kafka_mock_broker_set_rtt(nint cluster, int broker, int milliseconds);
}
