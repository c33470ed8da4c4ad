"""echo.proto for Python, described at run time: no generated code, no protoc plugin needed."""
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

T = descriptor_pb2.FieldDescriptorProto
FIELDS = {
    "EchoRequest": [("text", 1, T.TYPE_STRING), ("number", 2, T.TYPE_INT64), ("count", 3, T.TYPE_INT32), ("payload", 4, T.TYPE_BYTES),
                    ("fail_code", 5, T.TYPE_INT32), ("delay_ms", 6, T.TYPE_INT32)],
    "EchoReply": [("text", 1, T.TYPE_STRING), ("number", 2, T.TYPE_INT64), ("payload", 3, T.TYPE_BYTES)],
}

file = descriptor_pb2.FileDescriptorProto(name="echo.proto", package="mesh.test", syntax="proto3")
for name, fields in FIELDS.items():
    message = file.message_type.add(name=name)
    for field, number, kind in fields:
        message.field.add(name=field, number=number, type=kind, label=T.LABEL_OPTIONAL)
pool = descriptor_pool.DescriptorPool()
pool.Add(file)
factory = message_factory.MessageFactory(pool)
EchoRequest = factory.GetPrototype(pool.FindMessageTypeByName("mesh.test.EchoRequest"))
EchoReply = factory.GetPrototype(pool.FindMessageTypeByName("mesh.test.EchoReply"))

REQUEST_OUT, REQUEST_IN = EchoRequest.SerializeToString, EchoRequest.FromString
REPLY_OUT, REPLY_IN = EchoReply.SerializeToString, EchoReply.FromString
SERVICE = "mesh.test.EchoService"
