using System.Text;
using System.Text.Json.Nodes;
using Mesh.Api.Patches;
using Mesh.Api.Schema;
using Mesh.Api.Tests.Codecs;

namespace Mesh.Api.Tests.Patches;

/// <summary>Three ways from one object to another must end at the same object: for every kind, filled, and changed at random.</summary>
public class PatchAgreementTests
{
    private const int Rounds = 4;

    [Fact]
    public void Json_merge_and_strategic_patches_of_the_same_change_agree()
    {
        var changed = 0;
        foreach (var resource in ResourceTable.All)
        {
            if (ApiSchema.Builtin.FindKind(resource.Group, resource.Version, resource.Kind) is not { } kind) continue;
            for (var round = 0; round < Rounds; round++)
            {
                var random = new Random(round);
                var from = new ObjectFiller().Fill(kind);
                var to = from.DeepClone().AsObject();
                new Change(random).Object(to, PatchSchema.Of(kind.Type), null);
                (to["kind"], to["apiVersion"]) = (kind.Kind, kind.ApiVersion);
                if (!JsonNode.DeepEquals(from, to)) changed++;

                var about = $"{kind.ApiVersion} {kind.Kind}, seed {round}";
                Same(about + ": JSON patch", to, JsonPatch.Apply(from.DeepClone(), Bytes(PatchDiff.Json(from, to))));
                Same(about + ": merge patch", to, MergePatch.Apply(from.DeepClone().AsObject(), Bytes(PatchDiff.Merge(from, to))));
                var schema = PatchSchema.Of(kind.Type);
                Same(about + ": strategic merge", to, StrategicMergePatch.Apply(from.DeepClone().AsObject(), Bytes(PatchDiff.Strategic(from, to, schema)), schema));
            }
        }

        Assert.True(changed > 200, $"only {changed} objects were changed");
    }

    private static byte[] Bytes(JsonNode patch) => Encoding.UTF8.GetBytes(patch.ToJsonString());

    private static void Same(string about, JsonNode expected, JsonNode? got)
    {
        if (!JsonNode.DeepEquals(expected, got)) Assert.Fail($"{about}\nexpected {expected.ToJsonString()}\ngot      {got?.ToJsonString()}\n");
    }

    /// <summary>Changes, removes, adds and reorders; what names a list's item stays unique.</summary>
    private sealed class Change(Random random)
    {
        private int fresh;

        public void Object(JsonObject node, IPatchSchema? schema, string? mergeKey)
        {
            foreach (var (name, value) in node.ToArray())
            {
                if (name == mergeKey) continue;
                var field = schema?.Field(name) ?? default;
                switch (value)
                {
                    case var _ when random.Next(8) == 0:
                        node.Remove(name);
                        break;
                    case JsonObject map:
                        Object(map, field.Type, null);
                        break;
                    case JsonArray list:
                        List(list, field);
                        break;
                    case JsonValue scalar when random.Next(4) == 0:
                        node[name] = Other(scalar);
                        break;
                }
            }
        }

        private void List(JsonArray list, PatchField field)
        {
            foreach (var item in list.OfType<JsonObject>()) Object(item, field.Type, field.MergeKey);
            if (random.Next(4) == 0) list.RemoveAt(random.Next(list.Count));
            if (random.Next(4) == 0 && list.Count > 0)
            {
                var more = list[0]!.DeepClone();
                if (more is JsonObject item && field.MergeKey is { } key) item[key] = Other(item[key]!.AsValue());
                list.Insert(random.Next(list.Count + 1), more is JsonValue scalar ? Other(scalar) : more);
            }

            if (random.Next(4) != 0) return;
            var items = list.ToArray();
            list.Clear();
            random.Shuffle(items);
            foreach (var item in items) list.Add(item);
        }

        private JsonValue Other(JsonValue scalar) => scalar.TryGetValue<string>(out var text) ? JsonValue.Create($"{text}~{++fresh}")
            : scalar.TryGetValue<bool>(out var flag) ? JsonValue.Create(!flag)
            : scalar.TryGetValue<int>(out var number) ? JsonValue.Create(number + 1_000_000 + ++fresh)
            : JsonValue.Create(scalar.GetValue<object>() is double d ? d + 1 : 7_000_000_000L + ++fresh);
    }
}
