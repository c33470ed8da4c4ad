// The C face: no exception leaves it.
#include <new>

#include "engine.h"

namespace {

template <typename F>
int32_t guarded(F action) noexcept {
    try {
        return action();
    } catch (...) {
        return -1;   // only allocation can throw
    }
}

}  // namespace

extern "C" {

__attribute__((visibility("default"))) int32_t mesh_scheduler_abi(void) { return MESH_SCHEDULER_ABI; }

__attribute__((visibility("default"))) mesh_engine *mesh_scheduler_create(void) { return new (std::nothrow) mesh_engine; }

__attribute__((visibility("default"))) void mesh_scheduler_destroy(mesh_engine *engine) { delete engine; }

__attribute__((visibility("default"))) int32_t mesh_scheduler_set_node(mesh_engine *engine, int32_t slot, const mesh_node *node) {
    return guarded([&] { engine->set_node(slot, *node); return 0; });
}

__attribute__((visibility("default"))) int32_t mesh_scheduler_remove_node(mesh_engine *engine, int32_t slot) {
    return guarded([&] { engine->remove_node(slot); return 0; });
}

__attribute__((visibility("default"))) int32_t mesh_scheduler_use(mesh_engine *engine, int32_t slot, const mesh_demand *demand, int32_t sign) {
    return guarded([&] { engine->use(slot, *demand, sign); return 0; });
}

__attribute__((visibility("default"))) int32_t mesh_scheduler_place(mesh_engine *engine, const mesh_class *pod, int32_t count, int32_t *slots) {
    return guarded([&] { return engine->place(*pod, count, slots); });
}

__attribute__((visibility("default"))) int32_t mesh_scheduler_explain(mesh_engine *engine, const mesh_class *pod, int32_t slots, uint32_t *codes) {
    return guarded([&] { return engine->explain(*pod, slots, codes); });
}

}
