using System.Text;
using System.Text.Json.Nodes;
using Mesh.Api.Apply;
using Xunit;

namespace Mesh.Api.Tests.Apply;

public class ManagedFieldsTests
{
    private const string List = """[{"manager":"a","operation":"Apply","apiVersion":"v1","time":"2026-01-01T00:00:00Z","fieldsType":"FieldsV1","fieldsV1":{"f:data":{"f:x":{}}}},{"manager":"b","operation":"Update","apiVersion":"v1","time":"2026-01-02T00:00:00Z","fieldsType":"FieldsV1","fieldsV1":{"f:status":{"f:y":{}}},"subresource":"status"}]""";

    [Fact]
    public void Bytes_of_an_object_and_a_tree_say_the_same()
    {
        var json = Encoding.UTF8.GetBytes("""{"kind":"X","metadata":{"name":"n","managedFields":""" + List + "},\"data\":{\"managedFields\":[]}}");
        var read = ManagedFields.Read(json);
        Assert.Equal(List.Length, read.TextLength);
        Assert.True(read.SameBesidesTimes(ManagedFields.FromRequest(JsonNode.Parse(List))!));
        Assert.True(JsonNode.DeepEquals(JsonNode.Parse(List), read.ToTree()));
        Assert.Equal("\"b\" with subresource \"status\" using v1", read.Entries[1].Description);
        Assert.Empty(ManagedFields.Read(Encoding.UTF8.GetBytes("""{"metadata":{"name":"n"}}""")).Entries);
    }

    [Theory]
    [InlineData("""{"kind":"X","metadata":{"name":"n","managedFields":LIST},"data":{"managedFields":[1]}}""", """{"kind":"X","metadata":{"name":"n"},"data":{"managedFields":[1]}}""")]
    [InlineData("""{"metadata":{"managedFields":LIST,"name":"n"}}""", """{"metadata":{"name":"n"}}""")]
    [InlineData("""{"metadata":{"managedFields":LIST}}""", """{"metadata":{}}""")]
    [InlineData("""{"metadata":{"a":1,"managedFields":LIST,"name":"n"}}""", """{"metadata":{"a":1,"name":"n"}}""")]
    [InlineData("""{"metadata":{"name":"n"}}""", """{"metadata":{"name":"n"}}""")]
    public void Bytes_can_be_had_without_them(string json, string without) =>
        Assert.Equal(without, Encoding.UTF8.GetString(ManagedFields.Without(Encoding.UTF8.GetBytes(json.Replace("LIST", List, StringComparison.Ordinal)))));

    [Theory]
    [InlineData("[]", 0)]
    [InlineData("[{}]", 0)]
    [InlineData("""[{"manager":"a","operation":"Steal","apiVersion":"v1","fieldsType":"FieldsV1","fieldsV1":{}}]""", null)]
    [InlineData("""[{"manager":"a","operation":"Apply","fieldsType":"FieldsV1","fieldsV1":{}}]""", null)]
    [InlineData("""[{"manager":"a","operation":"Apply","apiVersion":"v1","fieldsType":"FieldsV2","fieldsV1":{}}]""", null)]
    [InlineData("""[{"manager":"a","operation":"Apply","apiVersion":"v1","fieldsType":"FieldsV1","fieldsV1":{"f:a":3}}]""", null)]
    [InlineData("null", null)]
    public void A_request_resets_or_says_nothing_when_it_cannot_be_read(string json, int? count) =>
        Assert.Equal(count, ManagedFields.FromRequest(JsonNode.Parse(json))?.Entries.Count);

    [Fact]
    public void The_oldest_updaters_share_an_entry_when_there_are_more_than_ten()
    {
        var managed = ManagedFields.None;
        for (var i = 0; i < 14; i++)
        {
            var changes = new FieldChanges(FieldSet.Of("f:data", "f:k" + i), FieldSet.Empty);
            managed = Ownership.Updated(managed, changes, new Writer("m" + i, i % 2 == 0 ? "v1" : "v2", "", $"2026-01-01T00:00:{i:00}Z", FieldSet.Empty));
        }

        Assert.Equal(10, managed.Entries.Count);
        var old = managed.Entries.Where(static e => e.Manager == "ancient-changes").ToDictionary(static e => e.ApiVersion, static e => e.Set.Count);
        Assert.Equal(6, old.Values.Sum());
        Assert.Equal(14, managed.Entries.Sum(static e => e.Set.Count));
    }

    [Fact]
    public void A_new_value_of_an_owned_field_changes_the_time_only()
    {
        var before = Ownership.Updated(ManagedFields.None, new(FieldSet.Of("f:spec", "f:renewTime"), FieldSet.Empty), Writer("01"));
        var after = Ownership.Updated(before, new(FieldSet.Of("f:spec", "f:renewTime"), FieldSet.Empty), Writer("02"));
        Assert.Same(before.Entries[0].Set, after.Entries[0].Set);
        Assert.Equal("2026-01-01T00:00:02Z", after.Entries[0].Time);
        Assert.True(before.SameBesidesTimes(after));
        var gone = Ownership.Updated(after, new(FieldSet.Empty, FieldSet.Of("f:spec", "f:renewTime")), Writer("03"));
        Assert.Empty(gone.Entries);
    }

    private static Writer Writer(string second) => new("kubelet", "coordination.k8s.io/v1", "", $"2026-01-01T00:00:{second}Z", FieldSet.Empty);
}
