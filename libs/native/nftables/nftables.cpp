#include "mesh_nftables.h"

#include <dlfcn.h>
#include <linux/close_range.h>
#include <sched.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <condition_variable>
#include <cstdio>
#include <cstring>
#include <functional>
#include <mutex>
#include <new>
#include <string>
#include <thread>

namespace {

struct nft_ctx;

// The functions of libnftables that are used here.
struct Library {
    nft_ctx* (*context)(uint32_t);
    void (*free)(nft_ctx*);
    int (*buffer_output)(nft_ctx*);
    int (*buffer_error)(nft_ctx*);
    const char* (*error)(nft_ctx*);
    int (*run)(nft_ctx*, const char*);

    bool load(std::string& failure) {
        void* handle = dlopen("libnftables.so.1", RTLD_NOW | RTLD_LOCAL);
        if (handle == nullptr) {
            failure = std::string("libnftables.so.1 is not installed (package libnftables1): ") + dlerror();
            return false;
        }
        return find(handle, "nft_ctx_new", context, failure) && find(handle, "nft_ctx_free", free, failure) &&
               find(handle, "nft_ctx_buffer_output", buffer_output, failure) && find(handle, "nft_ctx_buffer_error", buffer_error, failure) &&
               find(handle, "nft_ctx_get_error_buffer", error, failure) && find(handle, "nft_run_cmd_from_buffer", run, failure);
    }

    template <typename F>
    static bool find(void* handle, const char* name, F& function, std::string& failure) {
        function = reinterpret_cast<F>(dlsym(handle, name));
        if (function == nullptr) failure = std::string("libnftables.so.1 has no ") + name;
        return function != nullptr;
    }
};

void say(const std::string& text, char* error, uint32_t size) {
    if (size > 0) std::snprintf(error, size, "%s", text.c_str());
}

}  // namespace

struct mesh_nft {
    mesh_nft() : thread_([this] { loop(); }) {}

    ~mesh_nft() {
        call([this] {
            if (context_ != nullptr) library_.free(context_);
            stopped_ = true;
            return std::string();
        });
        thread_.join();
    }

    std::string open() {
        return call([this] {
            std::string failure;
            if (unshare(CLONE_FILES) != 0) return std::string("unshare(CLONE_FILES): ") + std::strerror(errno);
            // The copies must go: one left open would hold a connection that its owner has closed.
            if (syscall(SYS_close_range, 3, ~0U, 0) != 0) return std::string("close_range: ") + std::strerror(errno);
            if (!library_.load(failure)) return failure;
            context_ = library_.context(0);
            if (context_ == nullptr) return std::string("libnftables could not make a context");
            library_.buffer_output(context_);
            library_.buffer_error(context_);
            return failure;
        });
    }

    std::string run(const char* commands) {
        return call([this, commands] {
            if (library_.run(context_, commands) == 0) return std::string();
            const char* words = library_.error(context_);
            return std::string(words != nullptr && *words != '\0' ? words : "unknown error");
        });
    }

private:
    // Runs the work on the thread; its result is the error, empty for none.
    std::string call(std::function<std::string()> work) {
        std::lock_guard<std::mutex> one(callers_);
        std::unique_lock<std::mutex> lock(mutex_);
        work_ = std::move(work);
        changed_.notify_all();
        changed_.wait(lock, [this] { return work_ == nullptr; });
        return std::move(result_);
    }

    void loop() {
        std::unique_lock<std::mutex> lock(mutex_);
        while (!stopped_) {
            changed_.wait(lock, [this] { return work_ != nullptr; });
            result_ = work_();
            work_ = nullptr;
            changed_.notify_all();
        }
    }

    std::mutex callers_, mutex_;
    std::condition_variable changed_;
    std::function<std::string()> work_;
    std::string result_;
    bool stopped_ = false;
    Library library_{};
    nft_ctx* context_ = nullptr;
    std::thread thread_;  // last: it uses what stands above
};

MESH_EXPORT mesh_nft* mesh_nft_open(char* error, uint32_t size) try {
    auto* nft = new mesh_nft();
    const auto failure = nft->open();
    if (failure.empty()) return nft;
    say(failure, error, size);
    delete nft;
    return nullptr;
} catch (const std::exception& e) {
    say(e.what(), error, size);
    return nullptr;
}

MESH_EXPORT int32_t mesh_nft_run(mesh_nft* nft, const char* commands, char* error, uint32_t size) try {
    const auto failure = nft->run(commands);
    say(failure, error, size);
    return failure.empty() ? 0 : -1;
} catch (const std::exception& e) {
    say(e.what(), error, size);
    return -1;
}

MESH_EXPORT void mesh_nft_close(mesh_nft* nft) { delete nft; }
