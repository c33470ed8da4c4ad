using System.Globalization;
using System.Runtime.InteropServices;

namespace Mesh.Events.MockKafka;

/// <summary>
/// Kafka brokers for tests: librdkafka's mock cluster in a process of its own, speaking the real protocol over sockets. Prints the bootstrap
/// addresses, then obeys lines on standard input: <c>down ID</c>, <c>up ID</c>, <c>delay ID MILLISECONDS</c>; ends with its input.
/// Argument: number of brokers. Topics appear on use, with four partitions.
/// </summary>
internal static unsafe class Program
{
    private static int Main(string[] args)
    {
        var error = stackalloc byte[512];
        var conf = Native.rd_kafka_conf_new();
        var handle = Native.rd_kafka_new(0, conf, error, 512);
        if (handle == 0)
        {
            Console.Error.WriteLine(Marshal.PtrToStringUTF8((nint)error));
            return 1;
        }
        var cluster = Native.rd_kafka_mock_cluster_new(handle, int.Parse(args[0], CultureInfo.InvariantCulture));
        Console.WriteLine(Marshal.PtrToStringUTF8(Native.rd_kafka_mock_cluster_bootstraps(cluster)));
        while (Console.ReadLine() is { } line)
        {
            var words = line.Split(' ');
            var broker = int.Parse(words[1], CultureInfo.InvariantCulture);
            var result = words[0] switch
            {
                "down" => Native.rd_kafka_mock_broker_set_down(cluster, broker),
                "up" => Native.rd_kafka_mock_broker_set_up(cluster, broker),
                "delay" => Native.rd_kafka_mock_broker_set_rtt(cluster, broker, int.Parse(words[2], CultureInfo.InvariantCulture)),
                _ => -1,
            };
            Console.WriteLine(result == 0 ? "ok" : "failed");
        }
        Native.rd_kafka_mock_cluster_destroy(cluster);
        Native.rd_kafka_destroy(handle);
        return 0;
    }
}
