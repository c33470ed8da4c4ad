"""The echo service on grpcio. Arguments: cert key ca (or none for plain text). Prints the port; ends with its input."""
import sys
import time
from concurrent import futures

import grpc
from echo_wire import *


def reply(r):
    return EchoReply(text=r.text, number=r.number, payload=r.payload)


def unary(r, context):
    context.set_trailing_metadata([(k, v) for k, v in context.invocation_metadata() if k.startswith("x-")])
    if r.delay_ms:
        time.sleep(r.delay_ms / 1000)
    if r.fail_code:
        code = next(c for c in grpc.StatusCode if c.value[0] == r.fail_code)
        context.abort(code, r.text)
    return reply(r)


def expand(r, context):
    for i in range(r.count):
        if not context.is_active():
            return
        yield EchoReply(text=r.text, number=i, payload=r.payload)


def collect(requests, context):
    got = list(requests)
    return EchoReply(text=",".join(r.text for r in got), number=sum(r.number for r in got))


def chat(requests, context):
    for r in requests:
        yield reply(r)


server = grpc.server(futures.ThreadPoolExecutor(8), compression=grpc.Compression.Gzip,
                     options=[("grpc.max_receive_message_length", 64 << 20), ("grpc.max_send_message_length", -1)])
server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(SERVICE, {
    "Unary": grpc.unary_unary_rpc_method_handler(unary, REQUEST_IN, REPLY_OUT),
    "Expand": grpc.unary_stream_rpc_method_handler(expand, REQUEST_IN, REPLY_OUT),
    "Collect": grpc.stream_unary_rpc_method_handler(collect, REQUEST_IN, REPLY_OUT),
    "Chat": grpc.stream_stream_rpc_method_handler(chat, REQUEST_IN, REPLY_OUT),
}),))
if len(sys.argv) > 3:
    cert, key, ca = (open(path, "rb").read() for path in sys.argv[1:4])
    port = server.add_secure_port("127.0.0.1:0", grpc.ssl_server_credentials([(key, cert)], ca, require_client_auth=True))
else:
    port = server.add_insecure_port("127.0.0.1:0")
server.start()
print(port, flush=True)
sys.stdin.read()
server.stop(0)
