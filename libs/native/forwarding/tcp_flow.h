#pragma once
#include "forwarder.h"

namespace mesh {

// One TCP connection: client ⇄ pipe ⇄ backend, both ways by splice(2). A refused backend is replaced by another before any byte flows.
class TcpFlow final : public Flow {
public:
    TcpFlow(Forwarder& owner, int listener, int client, uint32_t address);
    ~TcpFlow() override;

    // Connects to a backend; false when there is none to try.
    bool connect();
    bool finished() const override { return finished_; }
    bool expired(Clock::time_point) const override { return false; }
    bool uses(int, const Backends&) const override { return false; }

private:
    struct Side final : Source {
        TcpFlow* flow = nullptr;
        int fd = -1;
        uint32_t watched = 0;
        void ready(uint32_t events) override;
    };

    // One direction: bytes wait in the pipe between reading from one side and writing to the other.
    struct Direction {
        int pipe[2] = {-1, -1};
        size_t waiting = 0;
        bool ended = false;      // the source sent its FIN
        bool shut = false;       // and the sink was told
        bool open();
    };

    void on_backend(uint32_t events);
    void pump();
    bool move(Side& from, Side& to, Direction& direction);
    void rewatch();
    void end();

    Forwarder& owner_;
    const int listener_;
    const uint32_t address_;
    unsigned attempt_ = 0;
    bool connected_ = false;
    bool finished_ = false;
    Side client_, backend_;
    Direction up_, down_;
};

}  // namespace mesh
