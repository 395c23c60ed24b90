// Vectors of the width of the target, and how channels are laid over them.
#pragma once

#include <cstdint>
#include <cstring>
#include <memory>
#include <new>
#include <numeric>

namespace native {

using Index = std::int64_t;

#if defined(__AVX512F__)
#define NATIVE_VECTOR_BYTES 64
constexpr int kTile = 4;  // vectors of channels at a time in the kernels over rows
#elif defined(__AVX__)
#define NATIVE_VECTOR_BYTES 32
constexpr int kTile = 2;
#else
#define NATIVE_VECTOR_BYTES 16
constexpr int kTile = 2;
#endif

template <typename T>
struct Simd;

template <>
struct Simd<float> {
    typedef float Vector __attribute__((vector_size(NATIVE_VECTOR_BYTES)));
    typedef float Unaligned __attribute__((vector_size(NATIVE_VECTOR_BYTES), aligned(4), may_alias));
};

template <>
struct Simd<double> {
    typedef double Vector __attribute__((vector_size(NATIVE_VECTOR_BYTES)));
    typedef double Unaligned __attribute__((vector_size(NATIVE_VECTOR_BYTES), aligned(8), may_alias));
};

template <typename T>
using Vector = typename Simd<T>::Vector;

template <typename T>
constexpr Index kWidth = NATIVE_VECTOR_BYTES / sizeof(T);

template <typename T>
inline Vector<T> load(const T* from) {
    return *reinterpret_cast<const typename Simd<T>::Unaligned*>(from);
}

template <typename T>
inline void store(T* to, Vector<T> value) {
    *reinterpret_cast<typename Simd<T>::Unaligned*>(to) = value;
}

inline Index round_up(Index value, Index multiple) { return (value + multiple - 1) / multiple * multiple; }

// An array without initial values, aligned to vectors.
template <typename T>
class Array {
public:
    Array() = default;
    explicit Array(Index size) { reserve(size); }
    Array(const Array&) = delete;
    Array& operator=(const Array&) = delete;
    ~Array() { release(); }

    // Makes room for `size` elements; the present elements are lost when the array grows.
    T* reserve(Index size) {
        if (size > size_) {
            release();
            data_ = static_cast<T*>(::operator new(static_cast<std::size_t>(size) * sizeof(T), kAlignment));
            size_ = size;
        }
        return data_;
    }
    T* get() const { return data_; }
    T& operator[](Index at) const { return data_[at]; }

private:
    static constexpr std::align_val_t kAlignment{64};
    void release() {
        if (data_ != nullptr) ::operator delete(data_, kAlignment);
        data_ = nullptr;
        size_ = 0;
    }
    T* data_ = nullptr;
    Index size_ = 0;
};

// Rows of channels as a flat array: after `lanes` elements, which are `rows` rows, vectors meet the same
// channels again. So any number of channels fills whole vectors.
struct Period {
    Index channels;
    Index lanes;
    Index rows;
};

template <typename T>
Period period(Index channels, Index tile) {
    const Index vectors = std::lcm(channels, kWidth<T>) / kWidth<T>;
    const Index lanes = std::lcm(vectors, tile) * kWidth<T>;
    return {channels, lanes, lanes / channels};
}

}  // namespace native
