using System.Text.Json.Nodes;
using Mesh.Gateway.Registry.Kinds;

namespace Mesh.Gateway.OpenApi;

/// <summary>
/// The Swagger 2 document as the openapi.v2.Document message of gnostic, which kubectl reads. Numbers are that schema's;
/// maps are lists of named values in it, and extensions carry their value as YAML text (JSON is YAML).
/// </summary>
internal static class OpenApiV2Protobuf
{
    public static byte[] Encode(JsonObject document)
    {
        var info = new ProtoMessage().Text(1, document.Obj("info").Str("title")).Text(2, document.Obj("info").Str("version"));
        var paths = new ProtoMessage();
        foreach (var (name, path) in document.Obj("paths") ?? [])
            paths.Message(2, Named(name, Path(path!.AsObject())));
        var definitions = new ProtoMessage();
        foreach (var (name, schema) in document.Obj("definitions") ?? [])
            definitions.Message(1, Named(name, Schema(schema!.AsObject())));
        return new ProtoMessage().Text(1, document.Str("swagger")).Message(2, info).Message(8, paths).Message(9, definitions).ToArray();
    }

    private static ProtoMessage Named(string name, ProtoMessage value) => new ProtoMessage().Text(1, name).Message(2, value);

    private static void Extensions(ProtoMessage message, int field, JsonObject node)
    {
        foreach (var (name, value) in node)
        {
            if (name.StartsWith("x-", StringComparison.Ordinal) && value is not null)
                message.Message(field, Named(name, new ProtoMessage().Text(2, value.ToJsonString() + "\n")));
        }
    }

    private static ProtoMessage Path(JsonObject path)
    {
        var message = new ProtoMessage();
        foreach (var (method, field) in new[] { ("get", 2), ("put", 3), ("post", 4), ("delete", 5), ("patch", 8) })
        {
            if (path.Obj(method) is { } operation)
                message.Message(field, Operation(operation));
        }

        foreach (var (_, parameter) in path.Items("parameters"))
            message.Message(9, Parameter(parameter));
        return message;
    }

    private static ProtoMessage Operation(JsonObject operation)
    {
        var message = new ProtoMessage().Texts(1, operation.Strings("tags")).Text(3, operation.Str("description")).Text(5, operation.Str("operationId"))
            .Texts(6, operation.Strings("produces")).Texts(7, operation.Strings("consumes"));
        foreach (var (_, parameter) in operation.Items("parameters"))
            message.Message(8, Parameter(parameter));
        var responses = new ProtoMessage();
        foreach (var (code, response) in operation.Obj("responses") ?? [])
        {
            var body = new ProtoMessage().Text(1, (response as JsonObject).Str("description"));
            if ((response as JsonObject).Obj("schema") is { } schema)
                body.Message(2, new ProtoMessage().Message(1, Schema(schema)));
            responses.Message(1, Named(code, new ProtoMessage().Message(1, body)));
        }

        message.Message(9, responses).Texts(10, operation.Strings("schemes"));
        Extensions(message, 13, operation);
        return message;
    }

    private static ProtoMessage Parameter(JsonObject parameter)
    {
        var place = parameter.Str("in");
        if (place == "body")
        {
            var body = new ProtoMessage().Text(1, parameter.Str("description")).Text(2, parameter.Str("name")).Text(3, place).Flag(4, parameter.Bool("required"))
                .Message(5, Schema(parameter.Obj("schema") ?? []));
            return new ProtoMessage().Message(1, new ProtoMessage().Message(1, body));
        }

        var inner = new ProtoMessage().Flag(1, parameter.Bool("required")).Text(2, place).Text(3, parameter.Str("description")).Text(4, parameter.Str("name"))
            .Text(place == "query" ? 6 : 5, parameter.Str("type")).Flag(place == "query" ? 20 : 19, parameter.Bool("uniqueItems"));
        var nonBody = new ProtoMessage().Message(place == "query" ? 3 : 4, inner);
        return new ProtoMessage().Message(1, new ProtoMessage().Message(2, nonBody));
    }

    private static ProtoMessage Schema(JsonObject schema)
    {
        var message = new ProtoMessage().Text(1, schema.Str("$ref")).Text(2, schema.Str("format")).Text(4, schema.Str("description")).Texts(19, schema.Strings("required"));
        if (schema.Obj("additionalProperties") is { } values)
            message.Message(21, new ProtoMessage().Message(1, Schema(values)));
        if (schema.Str("type") is { Length: > 0 } type)
            message.Message(22, new ProtoMessage().Text(1, type));
        if (schema.Obj("items") is { } items)
            message.Message(23, new ProtoMessage().Message(1, Schema(items)));
        if (schema.Obj("properties") is { } properties)
        {
            var list = new ProtoMessage();
            foreach (var (name, property) in properties)
                list.Message(1, Named(name, Schema(property!.AsObject())));
            message.Message(25, list);
        }

        Extensions(message, 31, schema);
        return message;
    }
}
