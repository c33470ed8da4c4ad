"""Calls the echo service in every form with grpcio and checks the answers. Arguments: target [cert key ca]. Prints 'ok' at the end."""
import sys

import grpc
from echo_wire import *

options = [("grpc.max_receive_message_length", 64 << 20), ("grpc.max_send_message_length", -1)]
if len(sys.argv) > 4:
    cert, key, ca = (open(path, "rb").read() for path in sys.argv[2:5])
    channel = grpc.secure_channel(sys.argv[1], grpc.ssl_channel_credentials(ca, key, cert), options)
else:
    channel = grpc.insecure_channel(sys.argv[1], options)


def path(name):
    return f"/{SERVICE}/{name}"


unary = channel.unary_unary(path("Unary"), REQUEST_OUT, REPLY_IN)
expand = channel.unary_stream(path("Expand"), REQUEST_OUT, REPLY_IN)
collect = channel.stream_unary(path("Collect"), REQUEST_OUT, REPLY_IN)
chat = channel.stream_stream(path("Chat"), REQUEST_OUT, REPLY_IN)


def expect(code, call):
    try:
        call()
    except grpc.RpcError as e:
        assert e.code() == code, e
        return e
    raise AssertionError(f"{code} expected")


assert unary(EchoRequest(text="grüß", number=-5)).text == "grüß"

got, call = unary.with_call(EchoRequest(), metadata=[("x-text", "hello"), ("x-data-bin", b"\x00\xff\x80")])
trailers = dict(call.trailing_metadata())
assert trailers["x-text"] == "hello" and trailers["x-data-bin"] == b"\x00\xff\x80", trailers

assert [r.number for r in expand(EchoRequest(count=500))] == list(range(500))
summed = collect(iter([EchoRequest(text=str(i), number=i) for i in range(1, 101)]))
assert summed.number == 5050, summed
assert [r.number for r in chat(iter([EchoRequest(number=i) for i in range(50)]))] == list(range(50))

e = expect(grpc.StatusCode.FAILED_PRECONDITION, lambda: unary(EchoRequest(fail_code=9, text="nöt now")))
assert e.details() == "nöt now", e.details()
expect(grpc.StatusCode.DEADLINE_EXCEEDED, lambda: unary(EchoRequest(delay_ms=30000), timeout=0.3))
expect(grpc.StatusCode.UNIMPLEMENTED, lambda: channel.unary_unary("/mesh.test.EchoService/None", REQUEST_OUT, REPLY_IN)(EchoRequest()))

e = expect(grpc.StatusCode.NOT_FOUND, lambda: unary(EchoRequest(fail_code=404, text="web")))
details = dict(e.trailing_metadata())["grpc-status-details-bin"]
assert b"mesh.v1/Status" in details and b'"reason":"NotFound"' in details, details

stream = expand(EchoRequest(count=2**31 - 1, delay_ms=5))
next(stream)
stream.cancel()
expect(grpc.StatusCode.CANCELLED, lambda: list(stream))

big = bytes(range(256)) * (20 << 12)
assert unary(EchoRequest(payload=big), compression=grpc.Compression.Gzip).payload == big
print("ok")
