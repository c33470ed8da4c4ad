#include "engine.h"

using mesh::Bits;

namespace {

template <typename T>
void ensure(std::vector<T> &table, int id) {
    if (static_cast<size_t>(id) >= table.size()) table.resize(static_cast<size_t>(id) + 1);
}

void mark(std::vector<Bits> &table, const std::vector<int32_t> &ids, int slot, bool add) {
    for (const auto id : ids) {
        ensure(table, id);
        if (add) table[id].set(slot);
        else table[id].clear(slot);
    }
}

Bits any_of(const std::vector<Bits> &table, const int32_t *ids, int count) {
    Bits result;
    for (int i = 0; i < count; i++) {
        if (ids[i] >= 0 && static_cast<size_t>(ids[i]) < table.size()) result.or_with(table[ids[i]]);
    }
    return result;
}

}  // namespace

void mesh_engine::grow(int slot) {
    if (slot < size_) return;
    const auto n = static_cast<size_t>(slot) + 1;
    for (auto *column : {&alloc_cpu_, &alloc_memory_, &alloc_ephemeral_, &used_cpu_, &used_memory_, &used_ephemeral_, &score_cpu_, &score_memory_}) column->resize(n);
    for (auto *column : {&alloc_pods_, &used_pods_}) column->resize(n);
    zone_.resize(n, -1);
    facts_.resize(n);
    size_ = slot + 1;
}

void mesh_engine::index(int slot, bool add) {
    mark(by_pair_, facts_[slot].pairs, slot, add);
    mark(by_key_, facts_[slot].keys, slot, add);
    mark(by_taint_, facts_[slot].taints, slot, add);
}

void mesh_engine::set_node(int slot, const mesh_node &node) {
    grow(slot);
    index(slot, false);
    alloc_cpu_[slot] = node.cpu;
    alloc_memory_[slot] = node.memory;
    alloc_ephemeral_[slot] = node.ephemeral;
    alloc_pods_[slot] = node.pods;
    zone_[slot] = node.zone;
    facts_[slot].pairs.assign(node.pairs, node.pairs + node.pair_count);
    facts_[slot].keys.assign(node.keys, node.keys + node.key_count);
    facts_[slot].taints.assign(node.taints, node.taints + node.taint_count);
    index(slot, true);
    for (auto &column : alloc_extended_) {
        if (static_cast<size_t>(slot) < column.size()) column[slot] = 0;
    }
    for (int i = 0; i < node.extended_count; i++) {
        ensure(alloc_extended_, node.extended[i]);
        ensure(alloc_extended_[node.extended[i]], slot);
        alloc_extended_[node.extended[i]][slot] = node.extended_allocatable[i];
    }
    present_.set(slot);
    if (node.unschedulable) unschedulable_.set(slot);
    else unschedulable_.clear(slot);
}

void mesh_engine::remove_node(int slot) {
    if (slot >= size_) return;
    index(slot, false);
    facts_[slot] = Facts{};
    present_.clear(slot);
    unschedulable_.clear(slot);
    used_cpu_[slot] = used_memory_[slot] = used_ephemeral_[slot] = score_cpu_[slot] = score_memory_[slot] = 0;
    used_pods_[slot] = 0;
    for (auto &column : used_extended_) {
        if (static_cast<size_t>(slot) < column.size()) column[slot] = 0;
    }
    for (auto &column : port_users_) {
        if (static_cast<size_t>(slot) < column.size()) column[slot] = 0;
    }
}

void mesh_engine::use(int slot, const mesh_demand &demand, int sign) {
    grow(slot);
    used_cpu_[slot] += sign * demand.cpu;
    used_memory_[slot] += sign * demand.memory;
    used_ephemeral_[slot] += sign * demand.ephemeral;
    score_cpu_[slot] += sign * demand.score_cpu;
    score_memory_[slot] += sign * demand.score_memory;
    used_pods_[slot] += sign;
    for (int i = 0; i < demand.extended_count; i++) {
        ensure(used_extended_, demand.extended[i]);
        ensure(used_extended_[demand.extended[i]], slot);
        used_extended_[demand.extended[i]][slot] += sign * demand.extended_amounts[i];
    }
    for (int i = 0; i < demand.port_count; i++) {
        ensure(port_users_, demand.ports[i]);
        ensure(port_users_[demand.ports[i]], slot);
        port_users_[demand.ports[i]][slot] += sign;
    }
}

int64_t mesh_engine::extended(const std::vector<std::vector<int64_t>> &table, int id, int slot) const {
    return static_cast<size_t>(id) < table.size() && static_cast<size_t>(slot) < table[id].size() ? table[id][slot] : 0;
}

Bits mesh_engine::term(const mesh_class &pod, const mesh_term &term) const {
    if (term.count == 0) return Bits{};
    Bits result = present_;
    for (int i = term.first; i < term.first + term.count; i++) {
        const auto &requirement = pod.requirements[i];
        const auto *ids = pod.ids + requirement.first;
        const auto matched = any_of(requirement.op < 2 ? by_pair_ : by_key_, ids, requirement.count);
        if (requirement.op == 0 || requirement.op == 2) result.and_with(matched);
        else result.and_not(matched);
    }
    return result;
}

Bits mesh_engine::tainted(const mesh_class &pod) const { return any_of(by_taint_, pod.blocked_taints, pod.blocked_count); }

Bits mesh_engine::affine(const mesh_class &pod) const {
    Bits result = pod.selector.count > 0 ? term(pod, pod.selector) : present_;
    if (pod.has_required) {
        Bits any;
        for (int i = 0; i < pod.required_count; i++) any.or_with(term(pod, pod.required[i]));
        result.and_with(any);
    }
    return result;
}

Bits mesh_engine::static_fit(const mesh_class &pod) const {
    Bits fit = present_;
    if (!pod.tolerates_unschedulable) fit.and_not(unschedulable_);
    if (pod.node != -1) {
        Bits only;
        if (pod.node >= 0) only.set(pod.node);
        fit.and_with(only);
    }
    fit.and_not(tainted(pod));
    fit.and_with(affine(pod));
    if (pod.allowed != nullptr) {
        for (size_t i = 0; i < fit.words().size(); i++) fit.words()[i] &= pod.allowed[i];
    }
    return fit;
}

bool mesh_engine::ports_free(const mesh_class &pod, int slot) const {
    for (int i = 0; i < pod.busy_count; i++) {
        const auto id = static_cast<size_t>(pod.busy_ports[i]);
        if (id < port_users_.size() && static_cast<size_t>(slot) < port_users_[id].size() && port_users_[id][slot] > 0) return false;
    }
    return true;
}

uint32_t mesh_engine::lacking(const mesh_demand &demand, int slot) const {
    uint32_t lack = 0;
    if (used_pods_[slot] + 1 > alloc_pods_[slot]) lack |= MESH_PODS;
    // What a pod does not ask for cannot keep it away, however overcommitted the node is.
    if (demand.cpu > 0 && demand.cpu > alloc_cpu_[slot] - used_cpu_[slot]) lack |= MESH_CPU;
    if (demand.memory > 0 && demand.memory > alloc_memory_[slot] - used_memory_[slot]) lack |= MESH_MEMORY;
    if (demand.ephemeral > 0 && demand.ephemeral > alloc_ephemeral_[slot] - used_ephemeral_[slot]) lack |= MESH_EPHEMERAL;
    for (int i = 0; i < demand.extended_count; i++) {
        const auto id = demand.extended[i];
        if (demand.extended_amounts[i] > 0 && demand.extended_amounts[i] > extended(alloc_extended_, id, slot) - extended(used_extended_, id, slot)) {
            lack |= static_cast<uint32_t>(MESH_EXTENDED) << (i < 16 ? i : 16);
        }
    }
    return lack;
}

int mesh_engine::explain(const mesh_class &pod, int slots, uint32_t *codes) const {
    const auto taints = tainted(pod);
    const auto affinity = affine(pod);
    int fitting = 0;
    for (int slot = 0; slot < slots; slot++) {
        uint32_t code = MESH_FITS;
        if (!present_.has(slot)) code = MESH_NO_NODE;
        else if (!pod.tolerates_unschedulable && unschedulable_.has(slot)) code = MESH_UNSCHEDULABLE;
        else if (pod.node != -1 && pod.node != slot) code = MESH_NODE_NAME;
        else if (taints.has(slot)) code = MESH_TAINT;
        else if (!affinity.has(slot)) code = MESH_AFFINITY;
        else if (!ports_free(pod, slot)) code = MESH_PORTS;
        else if (const auto lack = lacking(pod.demand, slot)) code = MESH_RESOURCES | lack;
        else if (pod.allowed != nullptr && !(pod.allowed[slot >> 6] >> (slot & 63) & 1)) code = MESH_NOT_ALLOWED;
        codes[slot] = code;
        fitting += code == MESH_FITS;
    }
    return fitting;
}
