// Nodes as structure-of-arrays, and an inverted index from each label pair, key and taint to the nodes that have it.
#pragma once
#include "bitset.h"
#include "mesh_scheduler.h"

struct mesh_engine {
    void set_node(int slot, const mesh_node &node);
    void remove_node(int slot);
    void use(int slot, const mesh_demand &demand, int sign);
    int place(const mesh_class &pod, int count, int *slots);
    int explain(const mesh_class &pod, int slots, uint32_t *codes) const;

private:
    // Filters that a placement of the class cannot change.
    mesh::Bits static_fit(const mesh_class &pod) const;
    mesh::Bits tainted(const mesh_class &pod) const;
    mesh::Bits affine(const mesh_class &pod) const;
    mesh::Bits term(const mesh_class &pod, const mesh_term &term) const;
    bool ports_free(const mesh_class &pod, int slot) const;
    uint32_t lacking(const mesh_demand &demand, int slot) const;
    int64_t resource_score(const mesh_demand &demand, int slot) const;
    void grow(int slot);
    void index(int slot, bool add);
    int64_t extended(const std::vector<std::vector<int64_t>> &table, int id, int slot) const;

    struct Facts { std::vector<int32_t> pairs, keys, taints; };

    int size_ = 0;
    mesh::Bits present_, unschedulable_;
    std::vector<int64_t> alloc_cpu_, alloc_memory_, alloc_ephemeral_, used_cpu_, used_memory_, used_ephemeral_, score_cpu_, score_memory_;
    std::vector<int32_t> alloc_pods_, used_pods_, zone_;
    std::vector<Facts> facts_;
    std::vector<mesh::Bits> by_pair_, by_key_, by_taint_;
    std::vector<std::vector<int64_t>> alloc_extended_, used_extended_;   // [id][slot]
    std::vector<std::vector<int32_t>> port_users_;                       // [port][slot]
};
