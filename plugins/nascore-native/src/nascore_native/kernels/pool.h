// A pool of threads. Who computes an item never changes the result: each item writes its own place.
#pragma once

#include <pthread.h>

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <new>
#include <system_error>
#include <thread>
#include <vector>

#include "simd.h"

namespace native {

class Pool {
public:
    using Call = void (*)(const void*, Index);

    // The pool of the process; a process that was forked gets a new one, since threads are not inherited.
    static Pool& instance() {
        static const int registered = pthread_atfork(nullptr, nullptr, [] { current() = nullptr; });
        static_cast<void>(registered);
        static std::mutex creation;
        const std::lock_guard<std::mutex> lock(creation);
        if (current() == nullptr) current() = new Pool;  // never deleted: its threads wait until the process ends
        return *current();
    }

    // Calls `call` for items 0 to items - 1 on up to `threads` threads.
    void run(Index items, int threads, Call call, const void* context) {
        std::unique_lock<std::mutex> region(region_, std::try_to_lock);
        const int helpers = region.owns_lock() ? start(static_cast<int>(std::min<Index>(threads, items)) - 1) : 0;
        if (helpers == 0) {
            for (Index item = 0; item < items; ++item) call(context, item);
            return;
        }
        {
            const std::lock_guard<std::mutex> lock(mutex_);
            call_ = call;
            context_ = context;
            items_ = items;
            next_.store(0);
            has_failed_.store(false);
            helpers_ = pending_ = helpers;
            ++generation_;
        }
        wake_.notify_all();
        work();
        std::unique_lock<std::mutex> lock(mutex_);
        done_.wait(lock, [this] { return pending_ == 0; });
        if (has_failed_.load()) throw std::bad_alloc();
    }

private:
    static Pool*& current() {
        static Pool* pool = nullptr;
        return pool;
    }

    int start(int wanted) {
        try {
            while (static_cast<int>(workers_.size()) < wanted) {
                const int index = static_cast<int>(workers_.size());
                const std::uint64_t seen = generation_;  // written in this region only
                workers_.emplace_back([this, index, seen] { serve(index, seen); });
            }
        } catch (const std::system_error&) {
            // The system gives no more threads: go on with those that are there.
        }
        return std::min(wanted, static_cast<int>(workers_.size()));
    }

    void serve(int index, std::uint64_t seen) {
        for (;;) {
            {
                std::unique_lock<std::mutex> lock(mutex_);
                wake_.wait(lock, [&] { return generation_ != seen; });
                seen = generation_;
                if (index >= helpers_) continue;
            }
            work();
            const std::lock_guard<std::mutex> lock(mutex_);
            if (--pending_ == 0) done_.notify_one();
        }
    }

    void work() {
        try {
            for (Index item = next_.fetch_add(1); item < items_; item = next_.fetch_add(1)) call_(context_, item);
        } catch (...) {
            has_failed_.store(true);
        }
    }

    std::mutex region_;  // one parallel region at a time; others run on their own thread
    std::mutex mutex_;
    std::condition_variable wake_, done_;
    std::vector<std::thread> workers_;
    std::uint64_t generation_ = 0;
    int helpers_ = 0, pending_ = 0;
    Call call_ = nullptr;
    const void* context_ = nullptr;
    Index items_ = 0;
    std::atomic<Index> next_{0};
    std::atomic<bool> has_failed_{false};
};

// Calls `body` for each item; `elements` is the work of all items, and little work stays on one thread.
template <typename Body>
void parallel(Index items, int threads, Index elements, const Body& body) {
    constexpr Index kWorthwhile = 1 << 15;
    if (threads <= 1 || items <= 1 || elements < kWorthwhile) {
        for (Index item = 0; item < items; ++item) body(item);
        return;
    }
    Pool::instance().run(
        items, threads, [](const void* context, Index item) { (*static_cast<const Body*>(context))(item); }, &body);
}

}  // namespace native
