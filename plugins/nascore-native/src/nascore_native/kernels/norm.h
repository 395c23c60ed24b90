// Batch norm with the statistics of the batch: with ReLU, and in a weighted sum. Layout NHWC, as rows of channels.
#pragma once

#include <algorithm>
#include <cmath>

#include "pool.h"
#include "simd.h"

namespace native {

// The rows in parts that do not depend on the number of threads, so that results do not depend on it either.
struct Parts {
    Index rows, size, count;

    Index first(Index part) const { return part * size; }
    Index length(Index part) const { return std::min(size, rows - part * size); }
};

inline Parts split(Index rows, const Period& period) {
    constexpr Index kElements = 32768;
    const Index size = round_up(std::max<Index>(1, kElements / period.channels), period.rows);
    return {rows, size, (rows + size - 1) / size};
}

// Periods at a time: few enough to stay in the first cache, and for sums in the precision of the data.
template <typename T>
Index chunk(const Period& period) {
    constexpr Index kElements = 16384 / sizeof(T);
    return std::clamp<Index>(kElements / period.lanes, 16, 128);
}

// Copies of the values of the channels, one after the other, until they fill the lanes.
template <typename T, typename Source>
void spread(const Source* values, const Period& period, T* lanes) {
    for (Index row = 0; row < period.rows; ++row)
        for (Index c = 0; c < period.channels; ++c) lanes[row * period.channels + c] = static_cast<T>(values[c]);
}

// Calls body(first period, periods, first lane) for chunks and tiles of lanes.
template <typename T, typename Body>
inline void for_tiles(Index periods, const Period& period, const Body& body) {
    const Index step = chunk<T>(period);
    for (Index start = 0; start < periods; start += step)
        for (Index lane = 0; lane < period.lanes; lane += kTile * kWidth<T>)
            body(start, std::min(step, periods - start), lane);
}

// A running count, mean and sum of squared deviations of each lane or channel.
struct Moments {
    double* mean;
    double* squares;
};

// Adds `more` observations to the `count` that are in; the means and squares of both are exact up to rounding.
inline void combine(Moments into, double count, const double* mean, const double* squares, double more, Index size) {
    const double share = more / (count + more), product = count * share;
    for (Index i = 0; i < size; ++i) {
        const double delta = mean[i] - into.mean[i];
        into.mean[i] += delta * share;
        into.squares[i] += squares[i] + delta * delta * product;
    }
}

template <typename T>
struct MomentBuffers {
    Array<T> pivot, sum, square;
    Array<double> mean, squares, chunk_mean, chunk_squares;

    void reserve(Index lanes) {
        pivot.reserve(lanes), sum.reserve(lanes), square.reserve(lanes);
        mean.reserve(lanes), squares.reserve(lanes), chunk_mean.reserve(lanes), chunk_squares.reserve(lanes);
    }
};

// Sums of x - pivot and of its square over a chunk; the pivot, the first value, avoids cancellation.
template <typename T>
inline void chunk_moments(const T* x, Index periods, const Period& period, MomentBuffers<T>& buffers) {
    constexpr Index w = kWidth<T>;
    for (Index lane = 0; lane < period.lanes; lane += kTile * w) {
        Vector<T> pivot[kTile], sum[kTile], square[kTile];
        for (int i = 0; i < kTile; ++i) {
            pivot[i] = load(x + lane + i * w);
            sum[i] = square[i] = Vector<T>{};
        }
        const T* row = x + lane;
        for (Index p = 0; p < periods; ++p, row += period.lanes)
            for (int i = 0; i < kTile; ++i) {
                const Vector<T> value = load(row + i * w) - pivot[i];
                sum[i] += value;
                square[i] += value * value;
            }
        for (int i = 0; i < kTile; ++i) {
            store(buffers.pivot.get() + lane + i * w, pivot[i]);
            store(buffers.sum.get() + lane + i * w, sum[i]);
            store(buffers.square.get() + lane + i * w, square[i]);
        }
    }
}

// The moments of each channel over some rows, into mean[C] and squares[C].
template <typename T>
void part_moments(const T* x, Index rows, const Period& period, Moments into) {
    thread_local MomentBuffers<T> buffers;
    buffers.reserve(period.lanes);
    const Index channels = period.channels, lanes = period.lanes, periods = rows / period.rows;
    const Index step = chunk<T>(period);
    double *mean = buffers.mean.get(), *squares = buffers.squares.get();
    double *chunk_mean = buffers.chunk_mean.get(), *chunk_squares = buffers.chunk_squares.get();
    std::fill_n(into.mean, channels, 0.0);
    std::fill_n(into.squares, channels, 0.0);
    for (Index start = 0; start < periods; start += step) {
        const Index length = std::min(step, periods - start);
        chunk_moments(x + start * lanes, length, period, buffers);
        const double inverse = 1.0 / static_cast<double>(length);
        double* to_mean = start == 0 ? mean : chunk_mean;
        double* to_squares = start == 0 ? squares : chunk_squares;
        for (Index i = 0; i < lanes; ++i) {
            const double sum = buffers.sum[i];
            to_mean[i] = buffers.pivot[i] + sum * inverse;
            to_squares[i] = buffers.square[i] - sum * sum * inverse;
        }
        if (start > 0)
            combine({mean, squares}, static_cast<double>(start), chunk_mean, chunk_squares, static_cast<double>(length), lanes);
    }
    if (periods > 0)
        for (Index row = 0; row < period.rows; ++row)
            combine(into, static_cast<double>(row * periods), mean + row * channels, squares + row * channels,
                    static_cast<double>(periods), channels);
    for (Index row = periods * period.rows; row < rows; ++row) {
        const double share = 1.0 / static_cast<double>(row + 1);
        for (Index c = 0; c < channels; ++c) {
            const double delta = x[row * channels + c] - into.mean[c];
            into.mean[c] += delta * share;
            into.squares[c] += delta * delta * (1.0 - share);
        }
    }
}

// Writes the scale and shift of each channel, [2, C], such that x * scale + shift is x normalised.
template <typename T>
void statistics(const T* x, Index rows, const Period& period, double eps, int threads, T* affine) {
    const Index channels = period.channels;
    const Parts parts = split(rows, period);
    const Array<double> means(parts.count * channels), squares(parts.count * channels);
    parallel(parts.count, threads, rows * channels, [&](Index part) {
        part_moments(x + parts.first(part) * channels, parts.length(part), period,
                     {means.get() + part * channels, squares.get() + part * channels});
    });
    for (Index part = 1; part < parts.count; ++part)
        combine({means.get(), squares.get()}, static_cast<double>(parts.first(part)), means.get() + part * channels,
                squares.get() + part * channels, static_cast<double>(parts.length(part)), channels);
    for (Index c = 0; c < channels; ++c) {
        // In this order std::max keeps what is no number.
        const double scale = 1.0 / std::sqrt(std::max(squares[c], 0.0) / static_cast<double>(rows) + eps);
        affine[c] = static_cast<T>(scale);
        affine[channels + c] = static_cast<T>(-means[c] * scale);
    }
}

template <typename T>
void norm_relu_forward(const T* x, Index rows, Index channels, double eps, int threads, T* out, T* affine) {
    const Period period = native::period<T>(channels, kTile);
    statistics(x, rows, period, eps, threads, affine);
    const Array<T> scales(period.lanes), shifts(period.lanes);
    spread(affine, period, scales.get());
    spread(affine + channels, period, shifts.get());
    const Parts parts = split(rows, period);
    parallel(parts.count, threads, rows * channels, [&](Index part) {
        constexpr Index w = kWidth<T>;
        const Index offset = parts.first(part) * channels, length = parts.length(part);
        const Index periods = length / period.rows;
        for_tiles<T>(periods, period, [&](Index start, Index count, Index lane) {
            Vector<T> scale[kTile], shift[kTile];
            for (int i = 0; i < kTile; ++i) {
                scale[i] = load(scales.get() + lane + i * w);
                shift[i] = load(shifts.get() + lane + i * w);
            }
            Index at = offset + start * period.lanes + lane;
            for (Index p = 0; p < count; ++p, at += period.lanes)
                for (int i = 0; i < kTile; ++i) {
                    const Vector<T> value = load(x + at + i * w) * scale[i] + shift[i];
                    store(out + at + i * w, value < 0 ? Vector<T>{} : value);  // keeps what is no number
                }
        });
        for (Index i = periods * period.lanes; i < length * channels; ++i) {
            const T value = x[offset + i] * scales[i % period.lanes] + shifts[i % period.lanes];
            out[offset + i] = value < 0 ? T(0) : value;
        }
    });
}

// Sums of each lane in double precision, filled chunk by chunk from sums in the precision of the data.
template <typename T>
struct LaneSums {
    Array<T> chunk;
    Array<double> total;

    void reserve(Index lanes) {
        chunk.reserve(lanes);
        std::fill_n(total.reserve(lanes), lanes, 0.0);
    }
    void add_chunk(Index lanes) {
        for (Index i = 0; i < lanes; ++i) total[i] += chunk[i];
    }
    // Writes the sum of each channel.
    void fold(const Period& period, double* channels) const {
        std::copy_n(total.get(), period.channels, channels);
        for (Index row = 1; row < period.rows; ++row)
            for (Index c = 0; c < period.channels; ++c) channels[c] += total[row * period.channels + c];
    }
};

// Sums, for each channel of one part, the gradient and its product with the normalised input.
template <typename T>
void norm_relu_sums(const T* x, const T* gradient, const T* scales, const T* shifts, Index rows,
                    const Period& period, double* sums) {
    constexpr Index w = kWidth<T>;
    const Index channels = period.channels, lanes = period.lanes, periods = rows / period.rows;
    thread_local LaneSums<T> plain, scaled;
    plain.reserve(lanes);
    scaled.reserve(lanes);
    const Index step = chunk<T>(period);
    for (Index start = 0; start < periods; start += step) {
        const Index count = std::min(step, periods - start);
        for (Index lane = 0; lane < lanes; lane += kTile * w) {
            Vector<T> scale[kTile], shift[kTile], first[kTile], second[kTile];
            for (int i = 0; i < kTile; ++i) {
                scale[i] = load(scales + lane + i * w);
                shift[i] = load(shifts + lane + i * w);
                first[i] = second[i] = Vector<T>{};
            }
            Index at = start * lanes + lane;
            for (Index p = 0; p < count; ++p, at += lanes)
                for (int i = 0; i < kTile; ++i) {
                    const Vector<T> value = load(x + at + i * w) * scale[i] + shift[i];
                    const Vector<T> g = value <= 0 ? Vector<T>{} : load(gradient + at + i * w);
                    first[i] += g;
                    second[i] += g * value;
                }
            for (int i = 0; i < kTile; ++i) {
                store(plain.chunk.get() + lane + i * w, first[i]);
                store(scaled.chunk.get() + lane + i * w, second[i]);
            }
        }
        plain.add_chunk(lanes);
        scaled.add_chunk(lanes);
    }
    plain.fold(period, sums);
    scaled.fold(period, sums + channels);
    for (Index i = periods * lanes; i < rows * channels; ++i) {
        const Index c = i % channels;
        const T value = x[i] * scales[c] + shifts[c];
        if (value <= 0) continue;
        sums[c] += gradient[i];
        sums[channels + c] += static_cast<double>(gradient[i]) * value;
    }
}

template <typename T>
void norm_relu_backward(const T* gradient, const T* x, const T* affine, Index rows, Index channels, int threads,
                        T* out) {
    const Period period = native::period<T>(channels, kTile);
    const Index lanes = period.lanes;
    const Array<T> constants(4 * lanes);
    T *scales = constants.get(), *shifts = scales + lanes, *means = shifts + lanes, *slopes = means + lanes;
    spread(affine, period, scales);
    spread(affine + channels, period, shifts);
    const Parts parts = split(rows, period);
    const Array<double> sums(parts.count * 2 * channels);
    parallel(parts.count, threads, rows * channels, [&](Index part) {
        const Index offset = parts.first(part) * channels;
        norm_relu_sums(x + offset, gradient + offset, scales, shifts, parts.length(part), period,
                       sums.get() + part * 2 * channels);
    });
    for (Index part = 1; part < parts.count; ++part)
        for (Index i = 0; i < 2 * channels; ++i) sums[i] += sums[part * 2 * channels + i];
    for (Index i = 0; i < 2 * channels; ++i) sums[i] *= -static_cast<double>(affine[i % channels]) / static_cast<double>(rows);
    spread(sums.get(), period, means);
    spread(sums.get() + channels, period, slopes);
    parallel(parts.count, threads, rows * channels, [&](Index part) {
        constexpr Index w = kWidth<T>;
        const Index offset = parts.first(part) * channels, length = parts.length(part);
        const Index periods = length / period.rows;
        for_tiles<T>(periods, period, [&](Index start, Index count, Index lane) {
            Vector<T> scale[kTile], shift[kTile], mean[kTile], slope[kTile];
            for (int i = 0; i < kTile; ++i) {
                scale[i] = load(scales + lane + i * w);
                shift[i] = load(shifts + lane + i * w);
                mean[i] = load(means + lane + i * w);
                slope[i] = load(slopes + lane + i * w);
            }
            Index at = offset + start * lanes + lane;
            for (Index p = 0; p < count; ++p, at += lanes)
                for (int i = 0; i < kTile; ++i) {
                    const Vector<T> value = load(x + at + i * w) * scale[i] + shift[i];
                    const Vector<T> g = value <= 0 ? Vector<T>{} : load(gradient + at + i * w);
                    store(out + at + i * w, g * scale[i] + (value * slope[i] + mean[i]));
                }
        });
        for (Index i = periods * lanes; i < length * channels; ++i) {
            const Index c = i % channels;
            const T value = x[offset + i] * scales[c] + shifts[c];
            const T g = value <= 0 ? T(0) : gradient[offset + i];
            out[offset + i] = g * scales[c] + (value * slopes[c] + means[c]);
        }
    });
}

}  // namespace native
