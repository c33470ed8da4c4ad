// Scoring and placement. Weights and normalisation are those of kube-scheduler's default profile; integers are cut as Go cuts them.
#include <cmath>

#include "engine.h"

using mesh::Bits;

namespace {

constexpr int64_t kMax = 100;
constexpr int64_t kTaintWeight = 3, kAffinityWeight = 2, kSpreadWeight = 2;
constexpr int kHostSkew = 3, kZoneSkew = 5;   // the cluster's default spreading constraints, both soft

int64_t least(int64_t capacity, int64_t requested) { return requested > capacity ? 0 : (capacity - requested) * kMax / capacity; }

double fraction(int64_t requested, int64_t capacity) {
    const double f = static_cast<double>(requested) / static_cast<double>(capacity);
    return f > 1 ? 1 : f;
}

uint32_t tie(uint32_t slot, uint32_t seed) {
    uint32_t x = slot * 2654435761u ^ seed;
    x ^= x >> 16;
    x *= 0x85ebca6bu;
    return x ^ (x >> 13);
}

}  // namespace

int64_t mesh_engine::resource_score(const mesh_demand &demand, int slot) const {
    int64_t sum = 0, weights = 0;
    if (alloc_cpu_[slot] > 0) sum += least(alloc_cpu_[slot], score_cpu_[slot] + demand.score_cpu), weights++;
    if (alloc_memory_[slot] > 0) sum += least(alloc_memory_[slot], score_memory_[slot] + demand.score_memory), weights++;
    int64_t score = weights == 0 ? 0 : sum / weights;
    if (demand.cpu > 0 || demand.memory > 0) {
        double deviation = 0;
        if (alloc_cpu_[slot] > 0 && alloc_memory_[slot] > 0) {
            deviation = std::fabs((fraction(used_cpu_[slot] + demand.cpu, alloc_cpu_[slot]) - fraction(used_memory_[slot] + demand.memory, alloc_memory_[slot])) / 2);
        }
        score += static_cast<int64_t>((1 - deviation) * static_cast<double>(kMax));
    }
    return score;
}

int mesh_engine::place(const mesh_class &pod, int count, int *slots) {
    // 1. What does not change while this class is placed: the candidates and their raw static scores.
    const Bits fit = static_fit(pod);
    std::vector<int> candidates;
    for (size_t word = 0; word < fit.words().size(); word++) {
        for (auto bits = fit.words()[word]; bits != 0; bits &= bits - 1) {
            const int slot = static_cast<int>(word * 64) + __builtin_ctzll(bits);
            if (ports_free(pod, slot) && lacking(pod.demand, slot) == 0) candidates.push_back(slot);
        }
    }
    std::vector<int64_t> soft(size_, 0), preferred(size_, 0), resource(size_, 0), raw(size_, 0);
    for (int i = 0; i < pod.soft_count; i++) {
        const auto id = static_cast<size_t>(pod.soft_taints[i]);
        if (id >= by_taint_.size()) continue;
        for (const auto slot : candidates) soft[slot] += by_taint_[id].has(slot);
    }
    for (int i = 0; i < pod.preferred_count; i++) {
        const auto matched = term(pod, pod.preferred[i]);
        for (const auto slot : candidates) preferred[slot] += matched.has(slot) ? pod.preferred[i].weight : 0;
    }
    for (const auto slot : candidates) resource[slot] = resource_score(pod.demand, slot);

    // 2. Pods of the group by node, and by zone over all nodes that the pod could ever use.
    std::vector<int32_t> host_pods;
    std::vector<int64_t> zone_pods;
    std::vector<int> zone_seen;
    if (pod.spread != nullptr) {
        host_pods.assign(pod.spread, pod.spread + size_);
        int zones = 0;
        for (const auto zone : zone_) zones = zone >= zones ? zone + 1 : zones;
        zone_pods.assign(zones, 0);
        zone_seen.assign(zones, 0);
        const auto affinity = affine(pod);
        for (int slot = 0; slot < size_; slot++) {
            if (zone_[slot] >= 0 && affinity.has(slot)) zone_pods[zone_[slot]] += host_pods[slot];
        }
    }

    // 3. One pod after the other; only the chosen node's columns change.
    int placed = 0;
    while (placed < count && !candidates.empty()) {
        int64_t max_soft = 0, max_preferred = 0, max_raw = 0, min_raw = INT64_MAX;
        for (const auto slot : candidates) {
            if (soft[slot] > max_soft) max_soft = soft[slot];
            if (preferred[slot] > max_preferred) max_preferred = preferred[slot];
        }
        if (pod.spread != nullptr) {
            int zones = 0;
            for (const auto slot : candidates) {
                if (zone_[slot] >= 0 && zone_seen[zone_[slot]] != placed + 1) zone_seen[zone_[slot]] = placed + 1, zones++;
            }
            const double host_weight = std::log(static_cast<double>(candidates.size()) + 2);
            const double zone_weight = std::log(static_cast<double>(zones) + 2);
            for (const auto slot : candidates) {
                double score = host_pods[slot] * host_weight + (kHostSkew - 1);
                if (zone_[slot] >= 0) score += static_cast<double>(zone_pods[zone_[slot]]) * zone_weight + (kZoneSkew - 1);
                raw[slot] = std::llround(score);
                if (raw[slot] > max_raw) max_raw = raw[slot];
                if (raw[slot] < min_raw) min_raw = raw[slot];
            }
        }

        int best = -1;
        size_t best_at = 0;
        int64_t best_score = 0;
        for (size_t i = 0; i < candidates.size(); i++) {
            const int slot = candidates[i];
            int64_t score = resource[slot];
            score += kTaintWeight * (max_soft == 0 ? kMax : kMax - soft[slot] * kMax / max_soft);
            if (max_preferred > 0) score += kAffinityWeight * (preferred[slot] * kMax / max_preferred);
            if (pod.spread != nullptr) score += kSpreadWeight * (max_raw == 0 ? kMax : kMax * (max_raw + min_raw - raw[slot]) / max_raw);
            if (pod.bonus != nullptr) score += pod.bonus[slot];
            if (best >= 0 && (score < best_score || (score == best_score && tie(slot, pod.seed) >= tie(best, pod.seed)))) continue;
            best = slot;
            best_at = i;
            best_score = score;
        }

        slots[placed++] = best;
        use(best, pod.demand, 1);
        if (pod.spread != nullptr) {
            host_pods[best]++;
            if (zone_[best] >= 0) zone_pods[zone_[best]]++;
        }
        if (!ports_free(pod, best) || lacking(pod.demand, best) != 0) {
            candidates[best_at] = candidates.back();
            candidates.pop_back();
        } else {
            resource[best] = resource_score(pod.demand, best);
        }
    }
    return placed;
}
