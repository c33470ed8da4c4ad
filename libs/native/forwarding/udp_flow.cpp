#include "udp_flow.h"

#include <arpa/inet.h>
#include <cerrno>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

namespace mesh {

namespace {
// conntrack's time for a UDP flow with answers is 120 s, without 30 s; one value between serves both.
constexpr std::chrono::seconds kSilence{60};
}  // namespace

UdpFlow::UdpFlow(Forwarder& owner, Listener& listener, const sockaddr_in& client)
    : owner_(owner), listener_(listener.id), client_(client), last_(Clock::now()) {}

UdpFlow::~UdpFlow() {
    if (fd_ >= 0) {
        owner_.unwatch(fd_);
        ::close(fd_);
    }
}

bool UdpFlow::connect() {
    Listener* listener = owner_.find(listener_);
    if (listener == nullptr || listener->backends.empty()) return false;
    backend_ = listener->backends.pick(client_.sin_addr.s_addr, 0, last_);
    fd_ = ::socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd_ < 0) return false;
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_addr.s_addr = backend_.address;
    to.sin_port = htons(backend_.port);
    return ::connect(fd_, reinterpret_cast<sockaddr*>(&to), sizeof to) == 0 && owner_.watch(fd_, EPOLLIN, this);
}

void UdpFlow::send(const char* data, size_t length) {
    last_ = Clock::now();
    if (::send(fd_, data, length, MSG_NOSIGNAL) == static_cast<ssize_t>(length)) owner_.count_bytes(length);
}

bool UdpFlow::expired(Clock::time_point now) const { return now - last_ > kSilence; }

void UdpFlow::ready(uint32_t) {
    Listener* listener = owner_.find(listener_);
    char buffer[65536];
    while (true) {
        const ssize_t n = ::recv(fd_, buffer, sizeof buffer, 0);
        if (n < 0) {
            // ECONNREFUSED: the backend's port is closed; the next datagram may reach another backend.
            if (errno != EAGAIN && errno != EINTR) {
                finished_ = true;
                owner_.finish_later();
            }
            return;
        }
        last_ = Clock::now();
        if (listener == nullptr) return;
        if (::sendto(listener->fd, buffer, static_cast<size_t>(n), MSG_NOSIGNAL, reinterpret_cast<const sockaddr*>(&client_), sizeof client_) == n)
            owner_.count_bytes(static_cast<uint64_t>(n));
    }
}

}  // namespace mesh
