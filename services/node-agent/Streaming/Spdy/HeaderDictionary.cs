using System.Buffers.Binary;
using System.Text;

namespace Mesh.NodeAgent.Streaming.Spdy;

/// <summary>The zlib dictionary of SPDY/3 header blocks (SPDY draft 3, 2.6.10.1): length-prefixed names, then common values.</summary>
internal static class HeaderDictionary
{
    /// <summary>Adler-32 of the dictionary, as a zlib stream names it.</summary>
    public const uint Checksum = 0xE3C6A7C2;

    private const string Names =
        "options head post put delete trace accept accept-charset accept-encoding accept-language accept-ranges age allow authorization " +
        "cache-control connection content-base content-encoding content-language content-length content-location content-md5 content-range " +
        "content-type date etag expect expires from host if-match if-modified-since if-none-match if-range if-unmodified-since last-modified " +
        "location max-forwards pragma proxy-authenticate proxy-authorization range referer retry-after server te trailer transfer-encoding " +
        "upgrade user-agent vary via warning www-authenticate method get status 200+OK version HTTP/1.1 url public set-cookie keep-alive origin";

    private const string Values =
        "100101201202205206300302303304305306307402405406407408409410411412413414415416417502504505" +
        "203 Non-Authoritative Information204 No Content301 Moved Permanently400 Bad Request401 Unauthorized403 Forbidden404 Not Found" +
        "500 Internal Server Error501 Not Implemented503 Service Unavailable" +
        "Jan Feb Mar Apr May Jun Jul Aug Sept Oct Nov Dec 00:00:00 Mon, Tue, Wed, Thu, Fri, Sat, Sun, GMT" +
        "chunked,text/html,image/png,image/jpg,image/gif,application/xml,application/xhtml+xml,text/plain,text/javascript,publicprivatemax-age=" +
        "gzip,deflate,sdchcharset=utf-8charset=iso-8859-1,utf-,*,enq=0.";

    public static byte[] Bytes { get; } = Build();

    private static byte[] Build()
    {
        using var buffer = new MemoryStream();
        Span<byte> length = stackalloc byte[4];
        foreach (var name in Names.Split(' '))
        {
            var bytes = Encoding.ASCII.GetBytes(name.Replace('+', ' '));
            BinaryPrimitives.WriteInt32BigEndian(length, bytes.Length);
            buffer.Write(length);
            buffer.Write(bytes);
        }

        buffer.Write(Encoding.ASCII.GetBytes(Values));
        return buffer.ToArray();
    }
}
