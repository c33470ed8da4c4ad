// What the forwarder knows of a connection or of a UDP client.
#pragma once
#include "affinity.h"

namespace mesh {

class Flow {
public:
    virtual ~Flow() = default;
    virtual bool finished() const = 0;
    // Closed when silent for too long.
    virtual bool expired(Clock::time_point now) const = 0;
    // Belongs to the listener and must go because its backend is not among these.
    virtual bool uses(int listener, const Backends& backends) const = 0;
};

}  // namespace mesh
