#pragma once
#include <netinet/in.h>

#include "forwarder.h"

namespace mesh {

// The datagrams of one client to one listener: a connected socket to a backend, forgotten when silent.
class UdpFlow final : public Flow, Source {
public:
    UdpFlow(Forwarder& owner, Listener& listener, const sockaddr_in& client);
    ~UdpFlow() override;

    bool connect();
    void send(const char* data, size_t length);
    std::pair<int, uint64_t> key() const { return {listener_, key_of(client_)}; }
    bool finished() const override { return finished_; }
    bool expired(Clock::time_point now) const override;
    bool uses(int listener, const Backends& backends) const override { return listener == listener_ && !backends.has(backend_); }

    static uint64_t key_of(const sockaddr_in& a) { return static_cast<uint64_t>(a.sin_addr.s_addr) << 16 | a.sin_port; }

private:
    void ready(uint32_t events) override;

    Forwarder& owner_;
    const int listener_;
    const sockaddr_in client_;
    mesh_backend backend_{};
    int fd_ = -1;
    bool finished_ = false;
    Clock::time_point last_;
};

}  // namespace mesh
