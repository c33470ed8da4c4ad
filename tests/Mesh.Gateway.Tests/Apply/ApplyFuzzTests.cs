using System.Text;
using System.Text.Json.Nodes;
using Mesh.Api;
using Mesh.Api.Apply;
using Mesh.Api.Codecs;
using Mesh.Api.Schema;
using Mesh.Api.Tests;
using Mesh.Gateway.Registry;
using Mesh.Gateway.Registry.Apply;
using Mesh.Security;

namespace Mesh.Gateway.Tests.Apply;

/// <summary>Bodies that anybody may send: every one is applied or refused with a Status, and nothing else happens.</summary>
public sealed class ApplyFuzzTests
{
    private static readonly int Inputs = Math.Max(20_000, Fuzz.Rounds);

    private static readonly KindSchema Pod = ApiSchema.Builtin.FindKind("v1", "Pod")!;

    private static readonly string[] Seeds =
    [
        """{"apiVersion":"v1","kind":"Pod","metadata":{"name":"x","labels":{"a":"b"},"finalizers":["a/b"]},"spec":{"containers":[{"name":"web","image":"i","ports":[{"containerPort":80,"protocol":"TCP"}],"env":[{"name":"A","value":"\u00e9"}],"resources":{"requests":{"cpu":"1"}}}],"tolerations":[{"key":"k"}]}}""",
        "apiVersion: v1\nkind: Pod\nmetadata:\n  name: x\n  labels: {a: b}\nspec:\n  containers:\n  - name: web\n    image: i\n    ports:\n    - containerPort: 80\n",
    ];

    private static readonly byte[][] Pieces = [.. new[] { "null", "{}", "[]", "-1", "1e999", "\"\\ud800\"", "\"name\":", "[[", "{\"a\":{", "&a ", "*a", ": ", "\n- ", "metadata", "\u0000", "true", "web", "{\"name\":null}" }.Select(Encoding.UTF8.GetBytes)];

    [Fact]
    public void A_broken_body_is_refused_with_a_Status()
    {
        var random = new Random(11);
        var live = JsonNode.Parse(Seeds[0])!.AsObject();
        var writer = new Writer("one", "v1", "", "2026-01-01T00:00:00Z", FieldSet.Of("f:status"));
        var owners = Applier.Created(Pod.Type, live, writer);
        var applied = 0;
        for (var i = 0; i < Inputs; i++)
        {
            var body = Mutate(random, Encoding.UTF8.GetBytes(Seeds[i % Seeds.Length]));
            var request = new RequestContext { User = new UserInfo("u", "", []), Resource = PodBinder.Pods, Name = "x", FieldManager = "two", Force = i % 3 == 0 };
            try
            {
                var config = ApplyConfig.Read(body, Pod, request);
                var result = Applier.Apply(Pod.Type, live, owners, config.Object, writer with { }, request.Force);
                Assert.NotNull(result.Managed.ToTree());
                applied++;
            }
            catch (ApiException e)
            {
                Assert.True(e.Status.Code is 400 or 409 or 500, e.Message);
            }
        }

        Assert.InRange(applied, Inputs / 100, Inputs);
    }

    [Fact]
    public void A_broken_list_of_managers_is_read_or_ignored()
    {
        const string Seed = """[{"manager":"a","operation":"Apply","apiVersion":"v1","time":"2026-01-01T00:00:00Z","fieldsType":"FieldsV1","fieldsV1":{"f:data":{".":{},"f:x":{},"k:{\"a\":1}":{"v:1":{}}}}}]""";
        var random = new Random(12);
        for (var i = 0; i < Inputs; i++)
        {
            JsonNode? tree;
            try
            {
                tree = JsonCodec.DecodeAnyValue(Mutate(random, Encoding.UTF8.GetBytes(Seed)));
            }
            catch (DecodeException)
            {
                continue;
            }

            if (ManagedFields.FromRequest(tree) is not { } managed) continue;
            var json = Encoding.UTF8.GetBytes("{\"metadata\":{\"managedFields\":" + managed.ToTree().ToJsonString() + "}}");
            Assert.True(managed.SameBesidesTimes(ManagedFields.Read(json)));
            Assert.NotNull(managed.ToString());
        }
    }

    private static byte[] Mutate(Random random, byte[] seed)
    {
        var bytes = seed.ToList();
        for (var n = random.Next(1, 4); n > 0; n--)
        {
            var at = random.Next(bytes.Count);
            switch (random.Next(4))
            {
                case 0:
                    bytes[at] = (byte)random.Next(256);
                    break;
                case 1:
                    bytes.RemoveRange(at, Math.Min(bytes.Count - at - 1, random.Next(1, 12)));
                    break;
                case 2:
                    bytes.InsertRange(at, Pieces[random.Next(Pieces.Length)]);
                    break;
                default:
                    bytes.InsertRange(at, bytes.GetRange(at / 2, Math.Min(bytes.Count - (at / 2), random.Next(1, 60))));
                    break;
            }

            if (bytes.Count == 0) bytes.Add((byte)'{');
        }

        return [.. bytes];
    }
}
