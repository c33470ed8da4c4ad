#include "forwarder.h"

#include <arpa/inet.h>
#include <cerrno>
#include <new>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tcp_flow.h"
#include "udp_flow.h"

namespace mesh {

class Forwarder::ListenerSource final : public Source {
public:
    ListenerSource(Forwarder& owner, Listener& listener) : owner_(owner), listener_(listener) {}
    void ready(uint32_t) override {
        if (listener_.protocol == MESH_TCP) owner_.accept_tcp(listener_);
        else owner_.receive_udp(listener_);
    }

private:
    Forwarder& owner_;
    Listener& listener_;
};

Forwarder::Forwarder() : epoll_(::epoll_create1(EPOLL_CLOEXEC)), wake_(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) {
    if (!good()) return;
    watch(wake_, EPOLLIN, nullptr);
    thread_ = std::thread([this] { run(); });
}

Forwarder::~Forwarder() {
    stop_ = true;
    if (thread_.joinable()) {
        const uint64_t one = 1;
        [[maybe_unused]] const ssize_t n = ::write(wake_, &one, sizeof one);
        thread_.join();
    }
    udp_.clear();
    flows_.clear();
    dead_flows_.clear();
    for (auto& [id, listener] : listeners_) ::close(listener->fd);
    if (wake_ >= 0) ::close(wake_);
    if (epoll_ >= 0) ::close(epoll_);
}

int Forwarder::listen(int protocol, uint32_t address, uint16_t port) {
    const int type = protocol == MESH_UDP ? SOCK_DGRAM : SOCK_STREAM;
    const int fd = ::socket(AF_INET, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0) return -errno;
    int one = 1;
    ::setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    sockaddr_in at{};
    at.sin_family = AF_INET;
    at.sin_addr.s_addr = address;
    at.sin_port = htons(port);
    socklen_t length = sizeof at;
    if (::bind(fd, reinterpret_cast<sockaddr*>(&at), sizeof at) != 0 || (protocol == MESH_TCP && ::listen(fd, 1024) != 0)
        || ::getsockname(fd, reinterpret_cast<sockaddr*>(&at), &length) != 0) {
        const int error = errno;
        ::close(fd);
        return -error;
    }
    const std::lock_guard lock(mutex_);
    const int id = next_id_++;
    auto listener = std::make_unique<Listener>(Listener{id, fd, protocol, ntohs(at.sin_port), {}});
    auto source = std::make_unique<ListenerSource>(*this, *listener);
    if (!watch(fd, EPOLLIN, source.get())) {
        const int error = errno;
        ::close(fd);
        return -error;
    }
    listeners_[id] = std::move(listener);
    sources_[id] = std::move(source);
    return id;
}

int Forwarder::port(int id) {
    const std::lock_guard lock(mutex_);
    const Listener* listener = find(id);
    return listener == nullptr ? -ENOENT : listener->port;
}

int Forwarder::set(int id, const mesh_backend* backends, uint32_t count, uint32_t affinity_seconds) {
    const std::lock_guard lock(mutex_);
    Listener* listener = find(id);
    if (listener == nullptr) return -ENOENT;
    listener->backends.set(backends, count, affinity_seconds);
    bury([&](const Flow& flow) { return flow.uses(id, listener->backends); });
    return 0;
}

int Forwarder::close(int id) {
    const std::lock_guard lock(mutex_);
    Listener* listener = find(id);
    if (listener == nullptr) return -ENOENT;
    const Backends none;
    bury([&](const Flow& flow) { return flow.uses(id, none); });
    unwatch(listener->fd);
    ::close(listener->fd);
    listener->fd = -1;
    dead_sources_.push_back(std::move(sources_[id]));
    dead_listeners_.push_back(std::move(listeners_[id]));
    sources_.erase(id);
    listeners_.erase(id);
    return 0;
}

void Forwarder::read(mesh_forwarding_stats* stats) {
    const std::lock_guard lock(mutex_);
    *stats = {accepted_, refused_, bytes_, static_cast<uint32_t>(flows_.size()), static_cast<uint32_t>(listeners_.size())};
}

bool Forwarder::watch(int fd, uint32_t events, Source* source) {
    epoll_event event{.events = events, .data = {.ptr = source}};
    return ::epoll_ctl(epoll_, EPOLL_CTL_ADD, fd, &event) == 0;
}

bool Forwarder::change(int fd, uint32_t events, Source* source) {
    epoll_event event{.events = events, .data = {.ptr = source}};
    return ::epoll_ctl(epoll_, EPOLL_CTL_MOD, fd, &event) == 0;
}

void Forwarder::unwatch(int fd) { ::epoll_ctl(epoll_, EPOLL_CTL_DEL, fd, nullptr); }

Listener* Forwarder::find(int id) {
    const auto found = listeners_.find(id);
    return found == listeners_.end() ? nullptr : found->second.get();
}

void Forwarder::run() {
    epoll_event events[256];
    auto last_sweep = Clock::now();
    while (!stop_) {
        bool udp;
        {
            const std::lock_guard lock(mutex_);
            udp = !udp_.empty();
        }
        // Only UDP flows end by time; with none there is nothing to wake for.
        const int n = ::epoll_wait(epoll_, events, 256, udp ? 5000 : -1);
        const std::lock_guard lock(mutex_);
        for (int i = 0; i < n; i++) {
            if (events[i].data.ptr != nullptr) static_cast<Source*>(events[i].data.ptr)->ready(events[i].events);
        }
        const auto now = Clock::now();
        if (sweep_ || now - last_sweep > std::chrono::seconds(5)) {
            sweep(now);
            last_sweep = now;
        }
        // No event of this round can point at them any more.
        dead_flows_.clear();
        dead_sources_.clear();
        dead_listeners_.clear();
    }
}

void Forwarder::accept_tcp(Listener& listener) {
    while (true) {
        sockaddr_in from{};
        socklen_t length = sizeof from;
        const int fd = ::accept4(listener.fd, reinterpret_cast<sockaddr*>(&from), &length, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd < 0) return;
        auto flow = std::make_unique<TcpFlow>(*this, listener.id, fd, from.sin_addr.s_addr);
        if (!flow->connect()) {
            // No backend: a reset, as the kernel's forwarding would refuse.
            const linger reset{1, 0};
            ::setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
            count_refused();
            continue;
        }
        accepted_.fetch_add(1, std::memory_order_relaxed);
        flows_.push_back(std::move(flow));
    }
}

void Forwarder::receive_udp(Listener& listener) {
    char buffer[65536];
    while (true) {
        sockaddr_in from{};
        socklen_t length = sizeof from;
        const ssize_t n = ::recvfrom(listener.fd, buffer, sizeof buffer, 0, reinterpret_cast<sockaddr*>(&from), &length);
        if (n < 0) return;
        const std::pair<int, uint64_t> key{listener.id, UdpFlow::key_of(from)};
        auto found = udp_.find(key);
        if (found != udp_.end() && found->second->finished()) {
            udp_.erase(found);
            found = udp_.end();
        }
        if (found == udp_.end()) {
            auto flow = std::make_unique<UdpFlow>(*this, listener, from);
            if (!flow->connect()) {
                count_refused();
                continue;
            }
            accepted_.fetch_add(1, std::memory_order_relaxed);
            found = udp_.emplace(key, flow.get()).first;
            flows_.push_back(std::move(flow));
        }
        found->second->send(buffer, static_cast<size_t>(n));
    }
}

void Forwarder::sweep(Clock::time_point now) {
    sweep_ = false;
    bury([now](const Flow& flow) { return flow.finished() || flow.expired(now); });
}

}  // namespace mesh

struct mesh_forwarder {
    mesh::Forwarder impl;
};

mesh_forwarder* mesh_forwarder_create() {
    auto* forwarder = new (std::nothrow) mesh_forwarder;
    if (forwarder != nullptr && !forwarder->impl.good()) {
        delete forwarder;
        return nullptr;
    }
    return forwarder;
}

void mesh_forwarder_destroy(mesh_forwarder* forwarder) { delete forwarder; }

int32_t mesh_forwarder_listen(mesh_forwarder* forwarder, int32_t protocol, uint32_t address, uint16_t port) {
    return forwarder->impl.listen(protocol, address, port);
}

int32_t mesh_forwarder_port(mesh_forwarder* forwarder, int32_t id) { return forwarder->impl.port(id); }

int32_t mesh_forwarder_set(mesh_forwarder* forwarder, int32_t id, const mesh_backend* backends, uint32_t count, uint32_t affinity_seconds) {
    return forwarder->impl.set(id, backends, count, affinity_seconds);
}

int32_t mesh_forwarder_close(mesh_forwarder* forwarder, int32_t id) { return forwarder->impl.close(id); }

void mesh_forwarder_read(mesh_forwarder* forwarder, mesh_forwarding_stats* stats) { forwarder->impl.read(stats); }
