// Which backend a client is sent to.
#pragma once
#include <chrono>
#include <cstdint>
#include <random>
#include <unordered_map>
#include <vector>

#include "mesh_forwarding.h"

namespace mesh {

using Clock = std::chrono::steady_clock;

inline bool same(const mesh_backend& a, const mesh_backend& b) { return a.address == b.address && a.port == b.port; }

// The backends of one listener and the clients that keep theirs (Service.spec.sessionAffinity: ClientIP).
class Backends {
public:
    void set(const mesh_backend* backends, uint32_t count, uint32_t affinity_seconds);
    bool empty() const { return backends_.empty(); }
    bool has(const mesh_backend& backend) const;
    size_t size() const { return backends_.size(); }

    // The backend for a client; attempt > 0 asks for another one after a failure. Call only when not empty.
    mesh_backend pick(uint32_t client, unsigned attempt, Clock::time_point now);

private:
    struct Sticky {
        mesh_backend backend;
        Clock::time_point until;
    };

    void forget_expired(Clock::time_point now);

    std::vector<mesh_backend> backends_;
    std::unordered_map<uint32_t, Sticky> sticky_;
    std::chrono::seconds affinity_{0};
    std::minstd_rand random_{std::random_device{}()};
};

}  // namespace mesh
