namespace Mesh.Store;

/// <summary>A value read from a file, read again when the file has changed: rotated certificates take effect without a restart.</summary>
internal sealed class ReloadedFile<T>(string path, Func<T> load)
    where T : class
{
    private readonly Lock _lock = new();
    private T? _value;
    private DateTime _stamp;

    public T Get()
    {
        lock (_lock)
        {
            var stamp = File.GetLastWriteTimeUtc(path);
            if (_value is not null && stamp == _stamp) return _value;
            (_value, _stamp) = (load(), stamp);
            return _value;
        }
    }
}
