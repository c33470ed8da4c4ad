// C ABI of the placement engine. Blittable structs only, no callbacks, no exceptions across it.
// Ids (label pairs, label keys, taints, ports, extended resources) are interned by the caller, dense from 0.
// A slot is the index of a node; the caller chooses it and may use it again after removal.
#ifndef MESH_SCHEDULER_H
#define MESH_SCHEDULER_H
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define MESH_SCHEDULER_ABI 1

typedef struct mesh_engine mesh_engine;

typedef struct {
    int64_t cpu, memory, ephemeral;      // allocatable: millicores, bytes, bytes
    int32_t pods, zone;                  // allocatable pods; zone id or -1
    int32_t unschedulable, pair_count, key_count, taint_count, extended_count, reserved;
    const int32_t *pairs, *keys, *taints, *extended;
    const int64_t *extended_allocatable;
} mesh_node;

typedef struct {
    int64_t cpu, memory, ephemeral;      // requests
    int64_t score_cpu, score_memory;     // requests, or what a pod without requests counts as in scores
    int32_t extended_count, port_count;
    const int32_t *extended;
    const int64_t *extended_amounts;
    const int32_t *ports;
} mesh_demand;

// op 0: has one of the pairs; 1: has none of the pairs; 2: has the key; 3: lacks the key. ids[first .. first+count)
typedef struct { int32_t op, first, count; } mesh_requirement;
// all of requirements[first .. first+count); an empty term matches nothing
typedef struct { int32_t first, count, weight; } mesh_term;

typedef struct {
    mesh_demand demand;
    int32_t node;                        // only this slot; -1: any; -2: none
    int32_t tolerates_unschedulable;
    uint32_t seed;                       // breaks ties
    int32_t has_required;                // when 1, one of the required terms must match
    mesh_term selector;                  // count 0: no selector
    int32_t required_count, preferred_count, blocked_count, soft_count, busy_count, reserved;
    const mesh_term *required, *preferred;
    const mesh_requirement *requirements;
    const int32_t *ids;
    const int32_t *blocked_taints, *soft_taints, *busy_ports;
    const int32_t *spread;               // by slot: pods of the same group; null: no spreading
    const uint64_t *allowed;             // by slot, a bit: further filters; null: all
    const int64_t *bonus;                // by slot: further scores, already weighted; null: none
} mesh_class;

// What keeps a slot from taking the class; the first in this order, resources all together.
enum {
    MESH_FITS = 0, MESH_NO_NODE = 1, MESH_UNSCHEDULABLE = 2, MESH_NODE_NAME = 3, MESH_TAINT = 4, MESH_AFFINITY = 5, MESH_PORTS = 6,
    MESH_RESOURCES = 7, MESH_NOT_ALLOWED = 8,
    MESH_CPU = 0x100, MESH_MEMORY = 0x200, MESH_EPHEMERAL = 0x400, MESH_PODS = 0x800, MESH_EXTENDED = 0x1000 /* << index in the demand */
};

int32_t mesh_scheduler_abi(void);
mesh_engine *mesh_scheduler_create(void);                                              // null: out of memory
void mesh_scheduler_destroy(mesh_engine *engine);
int32_t mesh_scheduler_set_node(mesh_engine *engine, int32_t slot, const mesh_node *node);   // keeps what the slot has in use; 0, or -1 out of memory
int32_t mesh_scheduler_remove_node(mesh_engine *engine, int32_t slot);                       // forgets what was in use
int32_t mesh_scheduler_use(mesh_engine *engine, int32_t slot, const mesh_demand *demand, int32_t sign);
// Places up to count pods of a class one after the other, each seeing those before; writes their slots, answers how many were placed.
int32_t mesh_scheduler_place(mesh_engine *engine, const mesh_class *pod, int32_t count, int32_t *slots);
// One code a slot; answers the number of slots that fit.
int32_t mesh_scheduler_explain(mesh_engine *engine, const mesh_class *pod, int32_t slots, uint32_t *codes);

#ifdef __cplusplus
}
#endif
#endif
