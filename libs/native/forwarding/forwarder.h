// The forwarder's thread: one epoll, the listeners and the flows between clients and backends.
#pragma once
#include <atomic>
#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <thread>

#include "affinity.h"
#include "flow.h"

namespace mesh {

// What epoll hands back: something that knows what to do when its descriptor is ready. Deleted by the forwarder after done().
class Source {
public:
    virtual ~Source() = default;
    virtual void ready(uint32_t events) = 0;
};

class UdpFlow;

struct Listener {
    int id;
    int fd;
    int protocol;
    uint16_t port;
    Backends backends;
};

class Forwarder {
public:
    Forwarder();
    ~Forwarder();
    Forwarder(const Forwarder&) = delete;
    Forwarder& operator=(const Forwarder&) = delete;

    bool good() const { return epoll_ >= 0 && wake_ >= 0; }
    int listen(int protocol, uint32_t address, uint16_t port);
    int port(int id);
    int set(int id, const mesh_backend* backends, uint32_t count, uint32_t affinity_seconds);
    int close(int id);
    void read(mesh_forwarding_stats* stats);

    // For flows, on the forwarder's thread with the lock held.
    bool watch(int fd, uint32_t events, Source* source);
    bool change(int fd, uint32_t events, Source* source);
    void unwatch(int fd);
    Listener* find(int id);
    void count_bytes(uint64_t n) { bytes_.fetch_add(n, std::memory_order_relaxed); }
    void count_refused() { refused_.fetch_add(1, std::memory_order_relaxed); }
    void finish_later() { sweep_ = true; }

private:
    class ListenerSource;

    void run();
    void accept_tcp(Listener& listener);
    void receive_udp(Listener& listener);
    void sweep(Clock::time_point now);

    // Takes flows out of service. They are freed by the thread after its round: an event already fetched may still point at them.
    template <typename Dead>
    void bury(Dead dead) {
        std::erase_if(udp_, [&](const auto& entry) { return dead(*entry.second); });
        for (auto at = flows_.begin(); at != flows_.end();) {
            auto next = std::next(at);
            if (dead(**at)) dead_flows_.splice(dead_flows_.end(), flows_, at);
            at = next;
        }
    }

    int epoll_ = -1;
    int wake_ = -1;
    std::atomic<bool> stop_{false};
    std::mutex mutex_;  // guards everything below; held while events are handled
    int next_id_ = 0;
    bool sweep_ = false;
    std::map<int, std::unique_ptr<Listener>> listeners_;
    std::map<int, std::unique_ptr<ListenerSource>> sources_;
    std::list<std::unique_ptr<Flow>> flows_;
    std::list<std::unique_ptr<Flow>> dead_flows_;
    std::list<std::unique_ptr<ListenerSource>> dead_sources_;
    std::list<std::unique_ptr<Listener>> dead_listeners_;
    std::map<std::pair<int, uint64_t>, UdpFlow*> udp_;  // (listener, client) → flow
    std::atomic<uint64_t> accepted_{0}, refused_{0}, bytes_{0};
    std::thread thread_;
};

}  // namespace mesh
