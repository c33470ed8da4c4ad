using Mesh.NodeAgent.Streaming.Spdy;

namespace Mesh.NodeAgent.Tests.Streaming;

public sealed class HeaderCodecTests
{
    [Fact]
    public void Dictionary_is_the_one_of_the_protocol()
    {
        uint a = 1, b = 0;
        foreach (var value in HeaderDictionary.Bytes)
        {
            a = (a + value) % 65521;
            b = (b + a) % 65521;
        }

        Assert.Equal((1423, HeaderDictionary.Checksum), (HeaderDictionary.Bytes.Length, (b << 16) | a));
    }

    [Fact]
    public void Blocks_written_are_read_again_one_after_the_other()
    {
        var writer = new HeaderWriter();
        using var reader = new HeaderReader();
        for (var i = 0; i < 3; i++)
        {
            KeyValuePair<string, string>[] headers = [new("streamType", "stdin"), new("port", $"{i}")];
            Assert.Equal([new("streamtype", "stdin"), new("port", $"{i}")], reader.Read(writer.Write(headers)));
        }
    }

    [Fact]
    public void Blocks_compressed_by_zlib_with_the_dictionary_are_read()
    {
        // Two blocks of one zlib stream (level 9, preset dictionary, sync flush after each), made by Python's zlib.
        using var reader = new HeaderReader();
        Assert.Equal([new("streamtype", "error")], reader.Read(Convert.FromHexString(Block1)));
        Assert.Equal([new("streamtype", "data"), new("port", "8080")], reader.Read(Convert.FromHexString(Block2)));
    }

    [Fact]
    public void Truncated_block_is_refused()
    {
        using var reader = new HeaderReader();
        Assert.Throws<InvalidDataException>(() => reader.Read([0x78, 0x9C, 0, 0, 0, 0, 0]));
    }

    private const string Block1 = "78f9e3c6a7c202a62346703a2b294a4dcc851625aca9a08006000000ffff";
    private const string Block2 = "02651c0c295029930829b08bc079c3c2c0c200000000ffff";
}
