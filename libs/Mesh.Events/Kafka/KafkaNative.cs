using System.Runtime.InteropServices;
using Confluent.Kafka;

namespace Mesh.Events;

/// <summary>Loads librdkafka once for the process: the system's own (Debian's librdkafka1), or with the full registry the package's.</summary>
internal static class KafkaNative
{
    private static readonly Lazy<string?> s_failure = new(Load);

    /// <exception cref="EventBusException">There is no librdkafka here.</exception>
    public static void EnsureLoaded()
    {
        if (s_failure.Value is { } failure)
            throw new EventBusException($"librdkafka cannot be loaded ({failure}); on Debian and Ubuntu: apt-get install librdkafka1");
    }

    private static string? Load()
    {
        try
        {
#if !FULL_REGISTRY
            NativeLibrary.SetDllImportResolver(typeof(Library).Assembly, static (name, assembly, path) =>
                NativeLibrary.TryLoad(
                    name.StartsWith("librdkafka", StringComparison.Ordinal) ? "librdkafka.so.1" : name == "libdl" ? "libdl.so.2" : name, assembly, path, out var handle)
                    ? handle : IntPtr.Zero);
            if (!Library.IsLoaded) Library.Load("librdkafka.so.1");
#else
            if (!Library.IsLoaded) Library.Load();
#endif
            return null;
        }
        catch (Exception e) when (e is InvalidOperationException or DllNotFoundException or BadImageFormatException)
        {
            return e.Message;
        }
    }
}
