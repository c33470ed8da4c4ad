// The packet forwarder in user space: for places where the kernel's own forwarding may not be programmed. TCP bytes are spliced
// (they never enter this process's memory), UDP datagrams are relayed. One thread with epoll serves every service of a forwarder.
// All functions are safe from any thread; none throws; errors are negative errno values.
#pragma once
#include <cstdint>

#define MESH_EXPORT extern "C" __attribute__((visibility("default")))

enum : int32_t { MESH_TCP = 0, MESH_UDP = 1 };

// Addresses are IPv4 in network byte order, ports in host byte order.
struct mesh_backend {
    uint32_t address;
    uint16_t port;
    uint16_t reserved;
};

struct mesh_forwarding_stats {
    uint64_t accepted;       // TCP connections and UDP flows
    uint64_t refused;        // without a backend, or whose backends all refused
    uint64_t bytes;          // both ways
    uint32_t open;           // connections and flows now
    uint32_t listeners;
};

struct mesh_forwarder;

// A forwarder with its thread, or null.
MESH_EXPORT mesh_forwarder* mesh_forwarder_create();
MESH_EXPORT void mesh_forwarder_destroy(mesh_forwarder* forwarder);

// Listens; the id (>= 0) names the listener from then on. Port 0 takes a free one, see mesh_forwarder_port.
MESH_EXPORT int32_t mesh_forwarder_listen(mesh_forwarder* forwarder, int32_t protocol, uint32_t address, uint16_t port);
MESH_EXPORT int32_t mesh_forwarder_port(mesh_forwarder* forwarder, int32_t id);

// Replaces the backends. Connections to backends that stay go on; UDP flows to backends that went are forgotten.
// affinity_seconds: how long a client address keeps its backend, 0 for no affinity.
MESH_EXPORT int32_t mesh_forwarder_set(mesh_forwarder* forwarder, int32_t id, const mesh_backend* backends, uint32_t count, uint32_t affinity_seconds);

// Stops listening; open connections go on to their end.
MESH_EXPORT int32_t mesh_forwarder_close(mesh_forwarder* forwarder, int32_t id);
MESH_EXPORT void mesh_forwarder_read(mesh_forwarder* forwarder, mesh_forwarding_stats* stats);
