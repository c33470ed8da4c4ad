#include "affinity.h"

#include <algorithm>

namespace mesh {

namespace {
// Above this many remembered clients the expired ones are looked for on each new client.
constexpr size_t kSweepAbove = 4096;
}  // namespace

void Backends::set(const mesh_backend* backends, uint32_t count, uint32_t affinity_seconds) {
    backends_.assign(backends, backends + count);
    affinity_ = std::chrono::seconds(affinity_seconds);
    if (affinity_seconds == 0) sticky_.clear();
    std::erase_if(sticky_, [this](const auto& entry) { return !has(entry.second.backend); });
}

bool Backends::has(const mesh_backend& backend) const {
    return std::any_of(backends_.begin(), backends_.end(), [&](const mesh_backend& b) { return same(b, backend); });
}

mesh_backend Backends::pick(uint32_t client, unsigned attempt, Clock::time_point now) {
    const bool keep = affinity_.count() > 0;
    if (keep && attempt == 0) {
        auto found = sticky_.find(client);
        if (found != sticky_.end() && found->second.until > now) {
            found->second.until = now + affinity_;
            return found->second.backend;
        }
    }
    const mesh_backend chosen = backends_[(random_() + attempt) % backends_.size()];
    if (keep) {
        if (sticky_.size() > kSweepAbove) forget_expired(now);
        sticky_[client] = {chosen, now + affinity_};
    }
    return chosen;
}

void Backends::forget_expired(Clock::time_point now) {
    std::erase_if(sticky_, [now](const auto& entry) { return entry.second.until <= now; });
}

}  // namespace mesh
