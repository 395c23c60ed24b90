// Depthwise convolutions and their gradients, layout NHWC. A row is read as one flat array of pixels times
// channels, shifted by whole pixels for each tap, so that any number of channels fills whole vectors.
#pragma once

#include <algorithm>
#include <type_traits>
#include <utility>

#include "pool.h"
#include "simd.h"

namespace native {

struct Convolution {
    Index images, channels, height, width, out_height, out_width, kernel, stride, padding, dilation;

    Index taps() const { return kernel * kernel; }
};

// The channels that are computed at a time: one vector where that divides them, else all.
template <typename T>
Index block_channels(Index channels) {
    return channels % kWidth<T> == 0 ? kWidth<T> : channels;
}

template <typename T, Index Size>
inline void copy_fixed(const T* from, Index from_step, T* to, Index to_step, Index pixels) {
    for (Index i = 0; i < pixels; ++i) std::memcpy(to + i * to_step, from + i * from_step, Size * sizeof(T));
}

// Copies pixels of `size` channels that lie `step` elements apart.
template <typename T>
inline void copy_pixels(const T* from, Index from_step, T* to, Index to_step, Index pixels, Index size) {
    if (from_step == size && to_step == size) {
        std::memcpy(to, from, static_cast<std::size_t>(pixels * size) * sizeof(T));
        return;
    }
    switch (size) {
        case 4: return copy_fixed<T, 4>(from, from_step, to, to_step, pixels);
        case 8: return copy_fixed<T, 8>(from, from_step, to, to_step, pixels);
        case 12: return copy_fixed<T, 12>(from, from_step, to, to_step, pixels);
        case 16: return copy_fixed<T, 16>(from, from_step, to, to_step, pixels);
        default:
            for (Index i = 0; i < pixels; ++i)
                for (Index c = 0; c < size; ++c) to[i * to_step + c] = from[i * from_step + c];
    }
}

// How an image lies in a buffer: with zeros around it, columns sorted by their remainder modulo `phases`, and
// zeros behind each row, where vectors reach beyond it.
struct Canvas {
    Index rows, height, width, top, left, phases, block, phase_step, row_step;

    Index size() const { return rows * row_step; }
};

// `reach`: the elements that are read from the first column of a phase on.
inline Canvas canvas(Index rows, Index height, Index width, Index top, Index left, Index phases, Index block,
                     Index reach) {
    const Index columns = (left + width + phases - 1) / phases;
    const Index step = round_up(std::max(columns * block, reach), 64);
    return {rows, height, width, top, left, phases, block, step, step * phases};
}

// A buffer of this thread with a canvas on it; its zeros are written once per call, as images have one size.
template <typename T>
class Painter {
public:
    T* prepare(const Canvas& canvas, std::uint64_t call) {
        T* data = buffer_.reserve(canvas.size());
        if (call != call_) std::memset(data, 0, static_cast<std::size_t>(canvas.size()) * sizeof(T));
        call_ = call;
        return data;
    }
    // Copies `block` channels of an image whose pixels have `channels` channels.
    static void paint(const Canvas& canvas, const T* image, Index channels, T* to) {
        for (Index y = 0; y < canvas.height && canvas.top + y < canvas.rows; ++y) {
            const T* from = image + y * canvas.width * channels;
            T* row = to + (canvas.top + y) * canvas.row_step;
            for (Index first = 0; first < std::min(canvas.phases, canvas.width); ++first) {
                const Index column = canvas.left + first;
                copy_pixels(from + first * channels, canvas.phases * channels,
                            row + column % canvas.phases * canvas.phase_step + column / canvas.phases * canvas.block,
                            canvas.block, (canvas.width - first + canvas.phases - 1) / canvas.phases, canvas.block);
            }
        }
    }

private:
    Array<T> buffer_;
    std::uint64_t call_ = 0;
};

inline std::uint64_t next_call() {
    static std::atomic<std::uint64_t> calls{0};
    return ++calls;
}

// A sum over taps: out[j] is the sum of source[offset + j] * weight[j modulo lanes].
struct Taps {
    Index count = 0;
    Index offsets[49];
    Index weights[49];  // where a tap's weight is in the kernel
};

// The weights of all taps over the lanes, [blocks, taps, lanes].
template <typename T>
void spread_weights(const T* weight, const Convolution& shape, const Period& period, T* to) {
    const Index block = period.channels;
    for (Index first = 0; first < shape.channels; first += block)
        for (Index tap = 0; tap < shape.taps(); ++tap, to += period.lanes)
            for (Index lane = 0; lane < period.lanes; ++lane)
                to[lane] = weight[(first + lane % block) * shape.taps() + tap];
}

// Rows at a time: a weight is loaded once for all of them.
template <typename T, int Rows>
inline void correlate_rows(const T* source, Index source_step, const Taps& taps, const T* weights, Index lanes,
                           Index vectors, T* out, Index out_step, Index vector_step, Index last) {
    constexpr Index w = kWidth<T>;
    Index lane = 0;
    for (Index t = 0; t < vectors; ++t, source += w) {
        Vector<T> sum[Rows];
        for (int r = 0; r < Rows; ++r) sum[r] = Vector<T>{};
        for (Index tap = 0; tap < taps.count; ++tap) {
            const Vector<T> weight = load(weights + taps.weights[tap] * lanes + lane);
            const T* from = source + taps.offsets[tap];
            for (int r = 0; r < Rows; ++r) sum[r] += load(from + r * source_step) * weight;
        }
        T* to = out + t * vector_step;
        if (t + 1 < vectors || last == w)
            for (int r = 0; r < Rows; ++r) store(to + r * out_step, sum[r]);
        else
            for (int r = 0; r < Rows; ++r)
                std::memcpy(to + r * out_step, &sum[r], static_cast<std::size_t>(last) * sizeof(T));
        lane = lane + w == lanes ? 0 : lane + w;
    }
}

// Where the results of a correlation go: rows of `elements`, vectors `vector_step` elements apart.
template <typename T>
struct Target {
    T* out;
    Index rows, row_step, elements, vector_step;
};

template <typename T>
void correlate(const T* source, Index source_step, const Taps& taps, const T* weights, Index lanes,
               const Target<T>& target) {
    constexpr Index w = kWidth<T>;
    const Index vectors = (target.elements + w - 1) / w, last = target.elements - (vectors - 1) * w;
    Index row = 0;
    const auto run = [&](auto rows) {
        constexpr int kRows = decltype(rows)::value;
        for (; row + kRows <= target.rows; row += kRows)
            correlate_rows<T, kRows>(source + row * source_step, source_step, taps, weights, lanes, vectors,
                                     target.out + row * target.row_step, target.row_step, target.vector_step, last);
    };
    // Eight sums at a time hide the latency of their additions.
    run(std::integral_constant<int, 8>{});
    run(std::integral_constant<int, 4>{});
    run(std::integral_constant<int, 1>{});
}

// The forward pass, and with a flipped kernel the gradient of the input at stride 1.
template <typename T>
void correlate_images(const T* input, const T* weight, const Convolution& shape, bool flipped, int threads, T* out) {
    const Index block = block_channels<T>(shape.channels), blocks = shape.channels / block;
    const Period period = native::period<T>(block, 1);
    const Index elements = shape.out_width * block;
    const Index reach = (shape.kernel - 1) * shape.dilation / shape.stride * block + round_up(elements, kWidth<T>);
    const Index rows = (shape.out_height - 1) * shape.stride + (shape.kernel - 1) * shape.dilation + 1;
    const Canvas canvas = native::canvas(std::max(rows, shape.padding + shape.height), shape.height, shape.width,
                                         shape.padding, shape.padding, shape.stride, block, reach);
    Taps taps;
    for (Index y = 0; y < shape.kernel; ++y)
        for (Index x = 0; x < shape.kernel; ++x) {
            const Index column = x * shape.dilation, tap = y * shape.kernel + x;
            taps.offsets[taps.count] = y * shape.dilation * canvas.row_step +
                                       column % shape.stride * canvas.phase_step + column / shape.stride * block;
            taps.weights[taps.count++] = flipped ? shape.taps() - 1 - tap : tap;
        }
    const Array<T> weights(blocks * shape.taps() * period.lanes);
    spread_weights(weight, shape, period, weights.get());
    const std::uint64_t call = next_call();
    parallel(shape.images * blocks, threads, shape.images * shape.channels * shape.out_height * shape.out_width * 4,
             [&](Index item) {
                 thread_local Painter<T> painter;
                 T* source = painter.prepare(canvas, call);
                 const Index image = item / blocks, first = item % blocks * block, c = shape.channels;
                 Painter<T>::paint(canvas, input + image * shape.height * shape.width * c + first, c, source);
                 T* to = out + image * shape.out_height * shape.out_width * c + first;
                 correlate(source, shape.stride * canvas.row_step, taps,
                           weights.get() + first / block * shape.taps() * period.lanes, period.lanes,
                           Target<T>{to, shape.out_height, shape.out_width * c, elements, blocks == 1 ? kWidth<T> : c});
             });
}

inline Index floor_half(Index value) { return value >= 0 ? value / 2 : -((1 - value) / 2); }

// The gradient of the input at stride 2: each of the four phases of its pixels sees some of the taps.
template <typename T>
void strided_input_gradient(const T* gradient, const T* weight, const Convolution& shape, int threads, T* out) {
    const Index block = block_channels<T>(shape.channels), blocks = shape.channels / block, c = shape.channels;
    const Period period = native::period<T>(block, 1);
    const Index border = std::max<Index>(0, -floor_half(shape.padding - (shape.kernel - 1) * shape.dilation));
    const Index furthest = floor_half(shape.padding + 1);
    const Index columns = (shape.width + 1) / 2, rows = (shape.height + 1) / 2 + furthest + border;
    const Index reach = (border + furthest) * block + round_up(columns * block, kWidth<T>);
    const Canvas canvas = native::canvas(std::max(rows, border + shape.out_height), shape.out_height,
                                         shape.out_width, border, border, 1, block, reach);
    Taps taps[4];
    for (Index phase = 0; phase < 4; ++phase)
        for (Index tap = 0; tap < shape.taps(); ++tap) {
            const Index y = phase / 2 + shape.padding - tap / shape.kernel * shape.dilation;
            const Index x = phase % 2 + shape.padding - tap % shape.kernel * shape.dilation;
            if ((y & 1) != 0 || (x & 1) != 0) continue;
            Taps& into = taps[phase];
            into.offsets[into.count] = (border + floor_half(y)) * canvas.row_step + (border + floor_half(x)) * block;
            into.weights[into.count++] = tap;
        }
    const Array<T> weights(blocks * shape.taps() * period.lanes);
    spread_weights(weight, shape, period, weights.get());
    const std::uint64_t call = next_call();
    const Index line = round_up(columns * block, kWidth<T>);
    parallel(shape.images * blocks, threads, shape.images * c * shape.height * shape.width, [&](Index item) {
        thread_local Painter<T> painter;
        thread_local Array<T> lines;
        lines.reserve((shape.height + 1) / 2 * line);
        T* source = painter.prepare(canvas, call);
        const Index image = item / blocks, first = item % blocks * block;
        Painter<T>::paint(canvas, gradient + image * shape.out_height * shape.out_width * c + first, c, source);
        T* to = out + image * shape.height * shape.width * c + first;
        for (Index phase = 0; phase < 4; ++phase) {
            const Index top = phase / 2, left = phase % 2;
            const Index height = (shape.height + 1 - top) / 2, width = (shape.width + 1 - left) / 2;
            if (height == 0 || width == 0) continue;
            correlate(source, canvas.row_step, taps[phase],
                      weights.get() + first / block * shape.taps() * period.lanes, period.lanes,
                      Target<T>{lines.get(), height, line, width * block, kWidth<T>});
            for (Index y = 0; y < height; ++y)
                copy_pixels(lines.get() + y * line, block, to + ((2 * y + top) * shape.width + left) * c, 2 * c, width,
                            block);
        }
    });
}

// Rows of the kernel at a time: as many sums as the registers hold.
template <int Kernel>
constexpr int kTapRows = NATIVE_VECTOR_BYTES == 64 ? (Kernel == 7 ? 3 : Kernel) : (Kernel == 7 ? 1 : Kernel == 5 ? 2 : Kernel);

// What the weight gradient of one image and one vector of lanes reads.
template <typename T>
struct Correlation {
    const T* source;      // of the first tap
    Index source_step;    // from one row of the gradient to the next
    Index tap_step;       // from one row of taps to the next
    const Index* columns; // offsets of the columns of taps
    const T* gradient;
    Index gradient_step, gradient_vector;  // to the next row, to the next vector that is read
    Index source_vector;
    Index rows, vectors;
};

template <typename T, int Kernel, std::size_t... Tap>
inline void accumulate_taps(const Correlation<T>& over, T* sums, Index lanes, std::index_sequence<Tap...>) {
    Index columns[Kernel];
    for (int x = 0; x < Kernel; ++x) columns[x] = over.columns[x];
    Vector<T> sum[sizeof...(Tap)] = {load(sums + static_cast<Index>(Tap) * lanes)...};
    const Index step = over.tap_step;
    for (Index row = 0; row < over.rows; ++row) {
        const T* source = over.source + row * over.source_step;
        const T* gradient = over.gradient + row * over.gradient_step;
        for (Index t = 0; t < over.vectors; ++t, source += over.source_vector, gradient += over.gradient_vector) {
            const Vector<T> g = load(gradient);
            const T* rows[kTapRows<Kernel>];
            rows[0] = source;
            for (int y = 1; y < static_cast<int>(sizeof...(Tap)) / Kernel; ++y) {
                rows[y] = rows[y - 1] + step;
                // Else the compiler keeps the sums of all rows and columns, more than there are registers.
                asm("" : "+r"(rows[y]));
            }
            ((sum[Tap] += g * load(rows[Tap / Kernel] + columns[Tap % Kernel])), ...);
        }
    }
    (store(sums + static_cast<Index>(Tap) * lanes, sum[Tap]), ...);
}

// Adds the products of one image to sums[taps, lanes], for the vector of lanes at `sums`.
template <typename T, int Kernel>
void accumulate_kernel(Correlation<T> over, T* sums, Index lanes) {
    constexpr int kRows = kTapRows<Kernel>;
    int row = 0;
    for (; row + kRows <= Kernel; row += kRows) {
        accumulate_taps<T, Kernel>(over, sums, lanes, std::make_index_sequence<kRows * Kernel>{});
        over.source += kRows * over.tap_step;
        sums += kRows * Kernel * lanes;
    }
    for (; row < Kernel; ++row) {
        accumulate_taps<T, Kernel>(over, sums, lanes, std::make_index_sequence<Kernel>{});
        over.source += over.tap_step;
        sums += Kernel * lanes;
    }
}

template <typename T>
void accumulate(Index kernel, const Correlation<T>& over, T* sums, Index lanes) {
    switch (kernel) {
        case 1: return accumulate_kernel<T, 1>(over, sums, lanes);
        case 3: return accumulate_kernel<T, 3>(over, sums, lanes);
        case 5: return accumulate_kernel<T, 5>(over, sums, lanes);
        default: return accumulate_kernel<T, 7>(over, sums, lanes);
    }
}

template <typename T>
void weight_gradient(const T* input, const T* gradient, const Convolution& shape, int threads, T* out) {
    constexpr Index w = kWidth<T>;
    const Index block = block_channels<T>(shape.channels), blocks = shape.channels / block, c = shape.channels;
    const Period period = native::period<T>(block, 1);
    const Index lanes = period.lanes, taps = shape.taps(), elements = shape.out_width * block;
    const Index padded = round_up(elements, lanes);
    const Index reach = (shape.kernel - 1) * shape.dilation / shape.stride * block + padded;
    const Index rows = (shape.out_height - 1) * shape.stride + (shape.kernel - 1) * shape.dilation + 1;
    const Canvas canvas = native::canvas(std::max(rows, shape.padding + shape.height), shape.height, shape.width,
                                         shape.padding, shape.padding, shape.stride, block, reach);
    const Canvas copy = native::canvas(shape.out_height, shape.out_height, shape.out_width, 0, 0, 1, block, padded);
    const bool is_copied = padded != elements;
    Index columns[7];
    for (Index x = 0; x < shape.kernel; ++x)
        columns[x] = x * shape.dilation % shape.stride * canvas.phase_step + x * shape.dilation / shape.stride * block;
    // Sums in the precision of the data stay short, and parts do not depend on the number of threads.
    const Index group = std::max<Index>(1, 1024 / (shape.out_height * shape.out_width));
    const Index groups = (shape.images + group - 1) / group;
    const Array<double> parts(groups * c * taps);
    const std::uint64_t call = next_call();
    parallel(groups * blocks, threads, shape.images * c * shape.out_height * shape.out_width * 4, [&](Index item) {
        thread_local Painter<T> painter, copier;
        thread_local Array<T> buffer;
        T* sums = buffer.reserve(taps * lanes);
        std::fill_n(sums, taps * lanes, T(0));
        T* source = painter.prepare(canvas, call);
        T* copied = is_copied ? copier.prepare(copy, call) : nullptr;
        const Index first = item % blocks * block, start = item / blocks * group;
        for (Index image = start; image < std::min(start + group, shape.images); ++image) {
            Painter<T>::paint(canvas, input + image * shape.height * shape.width * c + first, c, source);
            const T* g = gradient + image * shape.out_height * shape.out_width * c + first;
            if (is_copied) Painter<T>::paint(copy, g, c, copied);
            const T* from = is_copied ? copied : g;
            const Index row_step = is_copied ? copy.row_step : shape.out_width * c;
            const Index vector_step = blocks == 1 ? lanes : c;
            for (Index lane = 0; lane < lanes; lane += w)
                accumulate(shape.kernel,
                           Correlation<T>{source + lane, shape.stride * canvas.row_step,
                                          shape.dilation * canvas.row_step, columns, from + lane, row_step,
                                          vector_step, lanes, shape.out_height, padded / lanes},
                           sums + lane, lanes);
        }
        double* to = parts.get() + (item / blocks * c + first) * taps;
        for (Index channel = 0; channel < block; ++channel)
            for (Index tap = 0; tap < taps; ++tap) {
                double sum = 0;
                for (Index row = 0; row < period.rows; ++row) sum += sums[tap * lanes + row * block + channel];
                to[channel * taps + tap] = sum;
            }
    });
    for (Index part = 1; part < groups; ++part)
        for (Index i = 0; i < c * taps; ++i) parts[i] += parts[part * c * taps + i];
    for (Index i = 0; i < c * taps; ++i) out[i] = static_cast<T>(parts[i]);
}

// Null outputs are gradients that are not needed.
template <typename T>
void depthwise_backward(const T* gradient, const T* input, const T* weight, const Convolution& shape, int threads,
                        T* input_gradient, T* weight_out) {
    if (weight_out != nullptr) weight_gradient(input, gradient, shape, threads, weight_out);
    if (input_gradient == nullptr) return;
    if (shape.stride == 2) return strided_input_gradient(gradient, weight, shape, threads, input_gradient);
    Convolution mirrored = shape;
    std::swap(mirrored.height, mirrored.out_height);
    std::swap(mirrored.width, mirrored.out_width);
    mirrored.padding = (shape.kernel - 1) * shape.dilation - shape.padding;
    correlate_images(gradient, weight, mirrored, true, threads, input_gradient);
}

}  // namespace native
