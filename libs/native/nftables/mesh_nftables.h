// libnftables on a thread of its own that has a file descriptor table of its own (unshare(2) with CLONE_FILES). libnftables waits with
// select(2), which aborts the whole process on a descriptor of 1024 or more: in there descriptors stay small, however many connections the
// process holds. The library is loaded when first opened, so that a machine without it gets an error and not a failed start.
// All functions are safe from any thread; none throws.
#pragma once
#include <cstdint>

#define MESH_EXPORT extern "C" __attribute__((visibility("default")))

struct mesh_nft;

// A context, or null with the reason in error (always terminated).
MESH_EXPORT mesh_nft* mesh_nft_open(char* error, uint32_t size);

// Runs commands as one kernel transaction: 0, or -1 with the library's words in error.
MESH_EXPORT int32_t mesh_nft_run(mesh_nft* nft, const char* commands, char* error, uint32_t size);

MESH_EXPORT void mesh_nft_close(mesh_nft* nft);
