using System.Text;
using Mesh.Api;
using Mesh.Api.Codecs;
using Mesh.Api.Tests;
using Mesh.Gateway.Http;
using Mesh.Gateway.Registry;
using Mesh.Gateway.Streaming;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.WebUtilities;

namespace Mesh.Gateway.Tests.Http;

/// <summary>What the gateway itself reads of a request, without a socket before it: damaged inputs are read, or refused with a Status of 4xx.</summary>
public class RequestFuzzTests
{
    [Fact]
    public void Continue_tokens() => Run(51, """{"v":"meta.k8s.io/v1","rv":5,"start":"default/name"}""", json =>
    {
        // The JSON is damaged in one half of the inputs, its base64 in the other.
        var text = Convert.ToBase64String(json).TrimEnd('=').Replace('+', '-').Replace('/', '_');
        if (json.Length % 2 == 0) text = Encoding.Latin1.GetString(Fuzz.Damage(new Random(json.Length * 31), Encoding.ASCII.GetBytes(text)));
        var token = ContinueToken.Decode(text);
        Assert.True(token.Revision is > 0 or ContinueToken.Now);
        Assert.Equal(token, ContinueToken.Decode(token.Encode()));
    });

    [Fact]
    public void Request_lines() => Run(52, "/apis/apps/v1/watch/namespaces/default/deployments/name/scale/rest%2Fof/it", path =>
    {
        var text = Encoding.Latin1.GetString(path);
        foreach (var method in (string[])["GET", "DELETE"])
        {
            var info = RequestInfo.Parse(method, text, watch: path.Length % 2 == 0);
            Assert.Equal(text, info.Path);
            Assert.NotEmpty(info.Verb);
            Assert.Equal(info.IsResource, info.Resource.Length > 0 || info.HasNoName);
        }
    });

    [Fact]
    public void Accept_headers() => Run(53, "application/json;as=Table;v=v1;g=meta.k8s.io;q=0.9,application/vnd.kubernetes.protobuf;q=0.5,*/*;q=1e-3", header =>
    {
        var text = Encoding.Latin1.GetString(header);
        if (Representation.Negotiate(text, allowShapes: true, hasProtobuf: true) is { } form) Assert.False(form is { Format: BodyFormat.Protobuf, Shape: ObjectShape.Table });
        MediaRange.Parse(text);
    });

    [Fact]
    public void Queries() => Run(
        54,
        "?labelSelector=a%3Db&fieldSelector=metadata.name%3Dx&limit=5&continue=abc&resourceVersion=0&resourceVersionMatch=Exact&timeoutSeconds=1&pretty=true&sendInitialEvents=1&dryRun=All&gracePeriodSeconds=3&propagationPolicy=Orphan&fieldValidation=Warn&tailLines=5&limitBytes=1&sinceTime=2026-01-01T00:00:00Z",
        bytes =>
        {
            var query = new QueryCollection(QueryHelpers.ParseQuery(Encoding.Latin1.GetString(bytes)));
            Each(
                () => QueryOptions.List(query, "name"),
                () => QueryOptions.Delete(query, null),
                () => QueryOptions.DryRun(query["dryRun"], "create"),
                () => QueryOptions.Validation(query["fieldValidation"].ToString(), "patch"),
                () => RequestDeadline.Of(query["timeoutSeconds"].ToString()),
                () => LogOptions.Check("pod", query));
        });

    [Fact]
    public void Delete_options() => Run(
        55,
        """{"kind":"DeleteOptions","apiVersion":"v1","gracePeriodSeconds":3,"propagationPolicy":"Foreground","preconditions":{"uid":"u","resourceVersion":"5"},"dryRun":["All"],"orphanDependents":null}""",
        bytes =>
        {
            if (JsonCodec.DecodeAnyValue(bytes) is System.Text.Json.Nodes.JsonObject body) QueryOptions.Delete(new QueryCollection(), body);
        });

    /// <summary>Every one of them, whatever the one before it says.</summary>
    private static void Each(params Action[] reads)
    {
        foreach (var read in reads)
        {
            try
            {
                read();
            }
            catch (ApiException e) when (e.Status.Code is >= 400 and < 500 || e.Status is { Code: 500, Reason: null })
            {
                // The declared answer.
            }
        }
    }

    private static void Run(int seed, string sample, Action<byte[]> take) =>
        Fuzz.Run(seed, Encoding.UTF8.GetBytes(sample), take, static e => e is ApiException { Status.Code: >= 400 and < 500 } or ApiException { Status: { Code: 500, Reason: null } } or DecodeException);
}
