#include "tcp_flow.h"

#include <arpa/inet.h>
#include <cerrno>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

namespace mesh {

namespace {
constexpr size_t kPipe = 256 * 1024;
constexpr unsigned kAttempts = 3;

void close_fd(int& fd) {
    if (fd >= 0) ::close(fd);
    fd = -1;
}
}  // namespace

bool TcpFlow::Direction::open() {
    if (::pipe2(pipe, O_NONBLOCK | O_CLOEXEC) != 0) return false;
    ::fcntl(pipe[1], F_SETPIPE_SZ, kPipe);  // smaller where the user's limit says so: only slower
    return true;
}

TcpFlow::TcpFlow(Forwarder& owner, int listener, int client, uint32_t address) : owner_(owner), listener_(listener), address_(address) {
    client_.flow = backend_.flow = this;
    client_.fd = client;
    int one = 1;
    ::setsockopt(client, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
}

TcpFlow::~TcpFlow() {
    close_fd(client_.fd);
    close_fd(backend_.fd);
    for (Direction* d : {&up_, &down_}) {
        close_fd(d->pipe[0]);
        close_fd(d->pipe[1]);
    }
}

bool TcpFlow::connect() {
    Listener* listener = owner_.find(listener_);
    if (listener == nullptr || listener->backends.empty() || attempt_ >= kAttempts) return false;
    if (backend_.fd >= 0) owner_.unwatch(backend_.fd);
    close_fd(backend_.fd);
    const mesh_backend target = listener->backends.pick(address_, attempt_++, Clock::now());
    backend_.fd = ::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (backend_.fd < 0) return false;
    int one = 1;
    ::setsockopt(backend_.fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_addr.s_addr = target.address;
    to.sin_port = htons(target.port);
    if (::connect(backend_.fd, reinterpret_cast<sockaddr*>(&to), sizeof to) != 0 && errno != EINPROGRESS) return connect();
    backend_.watched = EPOLLOUT;
    return owner_.watch(backend_.fd, EPOLLOUT, &backend_);
}

void TcpFlow::Side::ready(uint32_t events) {
    if (flow->finished_) return;
    if (!flow->connected_) {
        if (this == &flow->backend_) flow->on_backend(events);
        return;
    }
    flow->pump();
}

void TcpFlow::on_backend(uint32_t) {
    int error = 0;
    socklen_t length = sizeof error;
    ::getsockopt(backend_.fd, SOL_SOCKET, SO_ERROR, &error, &length);
    if (error != 0) {
        if (!connect()) {
            owner_.count_refused();
            end();
        }
        return;
    }
    if (!up_.open() || !down_.open()) {
        end();
        return;
    }
    connected_ = true;
    client_.watched = 0;
    if (!owner_.watch(client_.fd, 0, &client_)) {
        end();
        return;
    }
    pump();
}

void TcpFlow::pump() {
    if (!move(client_, backend_, up_) || !move(backend_, client_, down_)) {
        end();
        return;
    }
    if (up_.shut && down_.shut) {
        end();
        return;
    }
    rewatch();
}

// Moves what can be moved now; false when the connection is broken.
bool TcpFlow::move(Side& from, Side& to, Direction& d) {
    constexpr unsigned kFlags = SPLICE_F_MOVE | SPLICE_F_NONBLOCK;
    for (bool progress = true; progress;) {
        progress = false;
        if (!d.ended && d.waiting < kPipe) {
            const ssize_t n = ::splice(from.fd, nullptr, d.pipe[1], nullptr, kPipe - d.waiting, kFlags);
            if (n > 0) {
                d.waiting += static_cast<size_t>(n);
                progress = true;
            } else if (n == 0) {
                d.ended = true;
            } else if (errno != EAGAIN && errno != EINTR) {
                return false;
            }
        }
        if (d.waiting > 0) {
            const ssize_t n = ::splice(d.pipe[0], nullptr, to.fd, nullptr, d.waiting, kFlags);
            if (n > 0) {
                d.waiting -= static_cast<size_t>(n);
                owner_.count_bytes(static_cast<uint64_t>(n));
                progress = true;
            } else if (n < 0 && errno != EAGAIN && errno != EINTR) {
                return false;
            }
        }
    }
    if (d.ended && d.waiting == 0 && !d.shut) {
        ::shutdown(to.fd, SHUT_WR);
        d.shut = true;
    }
    return true;
}

// Asks for what each side waits for: input while its pipe has room, output while bytes wait for it.
void TcpFlow::rewatch() {
    const auto wants = [](const Direction& in, const Direction& out) {
        uint32_t events = 0;
        if (!in.ended && in.waiting < kPipe) events |= EPOLLIN;
        if (out.waiting > 0) events |= EPOLLOUT;
        return events;
    };
    const uint32_t client = wants(up_, down_), backend = wants(down_, up_);
    if (client != client_.watched) owner_.change(client_.fd, client_.watched = client, &client_);
    if (backend != backend_.watched) owner_.change(backend_.fd, backend_.watched = backend, &backend_);
}

void TcpFlow::end() {
    if (client_.fd >= 0) owner_.unwatch(client_.fd);
    if (backend_.fd >= 0) owner_.unwatch(backend_.fd);
    finished_ = true;
    owner_.finish_later();
}

}  // namespace mesh
