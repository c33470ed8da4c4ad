// Sets of nodes, a bit a slot.
#pragma once
#include <cstddef>
#include <cstdint>
#include <vector>

namespace mesh {

class Bits {
public:
    void set(int slot) {
        const auto word = static_cast<size_t>(slot) >> 6;
        if (word >= words_.size()) words_.resize(word + 1);
        words_[word] |= bit(slot);
    }

    void clear(int slot) {
        const auto word = static_cast<size_t>(slot) >> 6;
        if (word < words_.size()) words_[word] &= ~bit(slot);
    }

    bool has(int slot) const {
        const auto word = static_cast<size_t>(slot) >> 6;
        return word < words_.size() && (words_[word] & bit(slot)) != 0;
    }

    void and_with(const Bits &other) {
        for (size_t i = 0; i < words_.size(); i++) words_[i] &= i < other.words_.size() ? other.words_[i] : 0;
    }

    void and_not(const Bits &other) {
        const auto n = words_.size() < other.words_.size() ? words_.size() : other.words_.size();
        for (size_t i = 0; i < n; i++) words_[i] &= ~other.words_[i];
    }

    void or_with(const Bits &other) {
        if (words_.size() < other.words_.size()) words_.resize(other.words_.size());
        for (size_t i = 0; i < other.words_.size(); i++) words_[i] |= other.words_[i];
    }

    const std::vector<uint64_t> &words() const { return words_; }
    std::vector<uint64_t> &words() { return words_; }

private:
    static uint64_t bit(int slot) { return uint64_t{1} << (slot & 63); }
    std::vector<uint64_t> words_;
};

}  // namespace mesh
