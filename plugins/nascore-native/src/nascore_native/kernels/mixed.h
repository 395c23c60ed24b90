// The weighted sum of K terms, some of them normalised: forward, and the gradients of terms and weights.
#pragma once

#include "norm.h"

namespace native {

struct Sizes {
    Index count, images, pixels, channels, edges;
};

// Terms of shape [images, pixels, channels], where the channels of the first edge come first; weights
// [edges, K], or [images, edges, K] where `per_image` is set.
template <typename T>
struct Mixture : Sizes {
    const T* const* terms;
    const std::uint8_t* normed;
    const T* weights;
    bool per_image;

    Index rows() const { return images * pixels; }
    Index elements() const { return rows() * channels; }
    // The rows in parts; with weights per image each image is one.
    Parts parts(const Period& period, bool by_image) const {
        return by_image ? Parts{rows(), pixels, images} : split(rows(), period);
    }
    Index width() const { return channels / edges; }
    T weight(Index part, Index edge, Index k) const {
        return weights[((per_image ? part * edges : 0) + edge) * count + k];
    }
    // Calls body(edge, first lane, lanes) for each run of lanes of one edge.
    template <typename Body>
    void for_edges(const Period& period, const Body& body) const {
        if (edges == 1) return body(0, 0, period.lanes);
        for (Index run = 0; run < period.rows * edges; ++run) body(run % edges, run * width(), width());
    }
};

// The scale and shift of each term over the lanes: [K, 2, lanes], from [K, 2, C].
template <typename T>
const T* spread_affine(const Mixture<T>& mixture, const Period& period, const T* affine, Array<T>& lanes) {
    lanes.reserve(mixture.count * 2 * period.lanes);
    for (Index i = 0; i < 2 * mixture.count; ++i)
        spread(affine + i * mixture.channels, period, lanes.get() + i * period.lanes);
    return lanes.get();
}

// The sum of scales[k] * term k, and a shift, over one part.
template <typename T>
void weighted_sum(const Mixture<T>& mixture, const Period& period, Index offset, Index rows, const T* scales,
                  const T* shifts, T* out) {
    constexpr Index w = kWidth<T>;
    const Index lanes = period.lanes, periods = rows / period.rows;
    for_tiles<T>(periods, period, [&](Index start, Index count, Index lane) {
        Index at = offset + start * lanes + lane;
        for (Index p = 0; p < count; ++p, at += lanes) {
            Vector<T> sum[kTile];
            for (int i = 0; i < kTile; ++i) sum[i] = load(shifts + lane + i * w);
            for (Index k = 0; k < mixture.count; ++k)
                for (int i = 0; i < kTile; ++i)
                    sum[i] += load(scales + k * lanes + lane + i * w) * load(mixture.terms[k] + at + i * w);
            for (int i = 0; i < kTile; ++i) store(out + at + i * w, sum[i]);
        }
    });
    for (Index i = periods * lanes; i < rows * mixture.channels; ++i) {
        const Index c = i % mixture.channels;
        T sum = shifts[c];
        for (Index k = 0; k < mixture.count; ++k) sum += scales[k * lanes + c] * mixture.terms[k][offset + i];
        out[offset + i] = sum;
    }
}

template <typename T>
void mixed_sum_forward(const Mixture<T>& mixture, double eps, int threads, T* out, T* affine) {
    const Index channels = mixture.channels;
    const Period period = native::period<T>(channels, kTile);
    const Index lanes = period.lanes;
    for (Index k = 0; k < mixture.count; ++k) {
        T* to = affine + k * 2 * channels;
        if (mixture.normed[k]) {
            statistics(mixture.terms[k], mixture.rows(), period, eps, threads, to);
        } else {
            std::fill_n(to, channels, T(1));
            std::fill_n(to + channels, channels, T(0));
        }
    }
    Array<T> spreads;
    const T* each = spread_affine(mixture, period, affine, spreads);
    const auto weigh = [&](Index part, T* scales, T* shifts) {
        std::fill_n(shifts, lanes, T(0));
        for (Index k = 0; k < mixture.count; ++k) {
            const T *scale = each + 2 * k * lanes, *shift = scale + lanes;
            mixture.for_edges(period, [&](Index edge, Index first, Index size) {
                const T weight = mixture.weight(part, edge, k);
                for (Index i = first; i < first + size; ++i) {
                    scales[k * lanes + i] = weight * scale[i];
                    shifts[i] += weight * shift[i];
                }
            });
        }
    };
    const Index room = (mixture.count + 1) * lanes;
    const Array<T> shared(room);
    if (!mixture.per_image) weigh(0, shared.get(), shared.get() + mixture.count * lanes);
    const Parts parts = mixture.parts(period, mixture.per_image);
    parallel(parts.count, threads, mixture.count * mixture.elements(), [&](Index part) {
        thread_local Array<T> own;
        const T* scales = shared.get();
        if (mixture.per_image) {
            own.reserve(room);
            weigh(part, own.get(), own.get() + mixture.count * lanes);
            scales = own.get();
        }
        weighted_sum(mixture, period, parts.first(part) * channels, parts.length(part), scales,
                     scales + mixture.count * lanes, out);
    });
}

// The sum of g, for each channel of one part.
template <typename T>
void plain_sums(const T* g, Index rows, const Period& period, double* sums) {
    constexpr Index w = kWidth<T>;
    const Index lanes = period.lanes, periods = rows / period.rows, step = chunk<T>(period);
    thread_local LaneSums<T> buffer;
    buffer.reserve(lanes);
    for (Index start = 0; start < periods; start += step) {
        const Index count = std::min(step, periods - start);
        for (Index lane = 0; lane < lanes; lane += kTile * w) {
            Vector<T> sum[kTile] = {};
            const T* at = g + start * lanes + lane;
            for (Index p = 0; p < count; ++p, at += lanes)
                for (int i = 0; i < kTile; ++i) sum[i] += load(at + i * w);
            for (int i = 0; i < kTile; ++i) store(buffer.chunk.get() + lane + i * w, sum[i]);
        }
        buffer.add_chunk(lanes);
    }
    buffer.fold(period, sums);
    for (Index i = periods * lanes; i < rows * period.channels; ++i) sums[i % period.channels] += g[i];
}

// The sum of g * (x * scale + shift), for each channel of one part.
template <typename T>
void scaled_sums(const T* g, const T* x, const T* scales, const T* shifts, Index rows, const Period& period,
                 double* sums) {
    constexpr Index w = kWidth<T>;
    const Index lanes = period.lanes, periods = rows / period.rows, step = chunk<T>(period);
    thread_local LaneSums<T> buffer;
    buffer.reserve(lanes);
    for (Index start = 0; start < periods; start += step) {
        const Index count = std::min(step, periods - start);
        for (Index lane = 0; lane < lanes; lane += kTile * w) {
            Vector<T> scale[kTile], shift[kTile], sum[kTile];
            for (int i = 0; i < kTile; ++i) {
                scale[i] = load(scales + lane + i * w);
                shift[i] = load(shifts + lane + i * w);
                sum[i] = Vector<T>{};
            }
            Index at = start * lanes + lane;
            for (Index p = 0; p < count; ++p, at += lanes)
                for (int i = 0; i < kTile; ++i)
                    sum[i] += load(g + at + i * w) * (load(x + at + i * w) * scale[i] + shift[i]);
            for (int i = 0; i < kTile; ++i) store(buffer.chunk.get() + lane + i * w, sum[i]);
        }
        buffer.add_chunk(lanes);
    }
    buffer.fold(period, sums);
    for (Index i = periods * lanes; i < rows * period.channels; ++i) {
        const Index c = i % period.channels;
        sums[c] += static_cast<double>(g[i]) * (x[i] * scales[c] + shifts[c]);
    }
}

// out = g * factor + x * slope + shift over one part, or only g * factor where x is null.
template <typename T>
void term_gradient(const T* g, const T* x, const T* factors, const T* slopes, const T* shifts, Index rows,
                   const Period& period, T* out) {
    constexpr Index w = kWidth<T>;
    const Index lanes = period.lanes, periods = rows / period.rows;
    for (Index lane = 0; lane < lanes; lane += kTile * w) {
        Vector<T> factor[kTile], slope[kTile], shift[kTile];
        for (int i = 0; i < kTile; ++i) {
            factor[i] = load(factors + lane + i * w);
            slope[i] = load(slopes + lane + i * w);
            shift[i] = load(shifts + lane + i * w);
        }
        Index at = lane;
        if (x == nullptr)
            for (Index p = 0; p < periods; ++p, at += lanes)
                for (int i = 0; i < kTile; ++i) store(out + at + i * w, load(g + at + i * w) * factor[i]);
        else
            for (Index p = 0; p < periods; ++p, at += lanes)
                for (int i = 0; i < kTile; ++i)
                    store(out + at + i * w,
                          load(g + at + i * w) * factor[i] + (load(x + at + i * w) * slope[i] + shift[i]));
    }
    for (Index i = periods * lanes; i < rows * period.channels; ++i) {
        const Index c = i % period.channels;
        const T rest = x == nullptr ? T(0) : x[i] * slopes[c] + shifts[c];
        out[i] = g[i] * factors[c] + rest;
    }
}

// The sums over each part: of g, [parts, C], and of g times the normalised term, [parts, K, C].
struct MixtureSums {
    const double* plain;
    const double* scaled;
    bool by_image;
    Index parts;
};

// Writes the slope and shift of a normed term's gradient, which do not depend on the image: [2, C].
template <typename T>
void term_constants(const Mixture<T>& mixture, const MixtureSums& sums, Index k, const T* affine, T* constants) {
    const Index channels = mixture.channels;
    Array<double> totals(2 * channels);
    std::fill_n(totals.get(), 2 * channels, 0.0);
    for (Index part = 0; part < sums.parts; ++part) {
        const double* plain = sums.plain + part * channels;
        const double* scaled = sums.scaled + (part * mixture.count + k) * channels;
        for (Index edge = 0; edge < mixture.edges; ++edge) {
            const double weight = mixture.weight(part, edge, k);
            for (Index c = edge * mixture.width(); c < (edge + 1) * mixture.width(); ++c) {
                totals[c] += weight * plain[c];
                totals[channels + c] += weight * scaled[c];
            }
        }
    }
    for (Index c = 0; c < channels; ++c) {
        // With n = x * scale + shift: scale * (w * g - mean(w * g) - n * mean(w * g * n)).
        const double scale = affine[c], shift = affine[channels + c], rows = static_cast<double>(mixture.rows());
        const double mean = totals[c] / rows, product = totals[channels + c] / rows;
        constants[c] = static_cast<T>(-scale * product * scale);
        constants[channels + c] = static_cast<T>(-scale * (mean + product * shift));
    }
}

// Writes the gradients of the weights: [edges, K], or [images, edges, K] where `by_image` is set.
template <typename T>
void weight_gradients(const Mixture<T>& mixture, const MixtureSums& sums, bool by_image, T* out) {
    const Index count = mixture.count, width = mixture.width();
    Array<double> totals(mixture.edges * count);
    std::fill_n(totals.get(), mixture.edges * count, 0.0);
    for (Index part = 0; part < sums.parts; ++part)
        for (Index edge = 0; edge < mixture.edges; ++edge)
            for (Index k = 0; k < count; ++k) {
                const double* scaled = sums.scaled + (part * count + k) * mixture.channels + edge * width;
                double sum = 0;
                for (Index c = 0; c < width; ++c) sum += scaled[c];
                if (by_image)
                    out[(part * mixture.edges + edge) * count + k] = static_cast<T>(sum);
                else
                    totals[edge * count + k] += sum;
            }
    if (!by_image)
        for (Index i = 0; i < mixture.edges * count; ++i) out[i] = static_cast<T>(totals[i]);
}

// `out[k]` and `weight_out` are null where no gradient is needed; `by_image`: weight_out is [images, edges, K].
template <typename T>
void mixed_sum_backward(const Mixture<T>& mixture, const T* g, const T* affine, bool by_image, int threads,
                        T* const* out, T* weight_out) {
    const Index channels = mixture.channels, count = mixture.count;
    const Period period = native::period<T>(channels, kTile);
    const Index lanes = period.lanes;
    const auto is_summed = [&](Index k) { return weight_out != nullptr || (mixture.normed[k] && out[k] != nullptr); };
    const bool sums_by_image = mixture.per_image || (weight_out != nullptr && by_image);
    const Parts parts = mixture.parts(period, sums_by_image);
    Index summed = 0, wanted = 0;
    bool has_normed = false;
    for (Index k = 0; k < count; ++k) {
        summed += is_summed(k);
        wanted += out[k] != nullptr;
        has_normed = has_normed || (mixture.normed[k] && out[k] != nullptr);
    }
    Array<T> spreads, constants, gradients;
    Array<double> plain, scaled;
    if (summed > 0) {
        const T* each = spread_affine(mixture, period, affine, spreads);
        plain.reserve(parts.count * channels);
        scaled.reserve(parts.count * count * channels);
        parallel(parts.count, threads, (summed + 1) * mixture.elements(), [&](Index part) {
            const Index offset = parts.first(part) * channels, length = parts.length(part);
            if (has_normed) plain_sums(g + offset, length, period, plain.get() + part * channels);
            for (Index k = 0; k < count; ++k)
                if (is_summed(k))
                    scaled_sums(g + offset, mixture.terms[k] + offset, each + 2 * k * lanes, each + (2 * k + 1) * lanes,
                                length, period, scaled.get() + (part * count + k) * channels);
        });
    }
    const MixtureSums sums{plain.get(), scaled.get(), sums_by_image, parts.count};
    if (weight_out != nullptr) weight_gradients(mixture, sums, by_image, weight_out);
    if (wanted == 0) return;
    gradients.reserve(count * 2 * lanes);
    constants.reserve(2 * channels);
    for (Index k = 0; k < count; ++k) {
        if (out[k] == nullptr || !mixture.normed[k]) continue;
        term_constants(mixture, sums, k, affine + 2 * k * channels, constants.get());
        spread(constants.get(), period, gradients.get() + 2 * k * lanes);
        spread(constants.get() + channels, period, gradients.get() + (2 * k + 1) * lanes);
    }
    const T* each = spread_affine(mixture, period, affine, spreads);
    const Parts outputs = mixture.parts(period, mixture.per_image);
    parallel(outputs.count, threads, wanted * mixture.elements(), [&](Index part) {
        thread_local Array<T> factors;
        factors.reserve(lanes);
        const Index offset = outputs.first(part) * channels, length = outputs.length(part);
        for (Index k = 0; k < count; ++k) {
            if (out[k] == nullptr) continue;
            const T* scales = each + 2 * k * lanes;
            mixture.for_edges(period, [&](Index edge, Index first, Index size) {
                const T weight = mixture.weight(part, edge, k);
                for (Index i = first; i < first + size; ++i) factors[i] = weight * scales[i];
            });
            const T* slopes = gradients.get() + 2 * k * lanes;
            term_gradient(g + offset, mixture.normed[k] ? mixture.terms[k] + offset : nullptr, factors.get(), slopes,
                          slopes + lanes, length, period, out[k] + offset);
        }
    });
}

}  // namespace native
