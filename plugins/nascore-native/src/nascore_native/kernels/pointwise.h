// Convolutions of single pixels in narrow groups: forward, and both gradients.
#pragma once

#include "norm.h"

namespace native {

// For each row, each of the groups maps `inputs` channels to `outputs`.
struct Pointwise {
    Index rows, groups, inputs, outputs;

    Index read() const { return groups * inputs; }
    Index written() const { return groups * outputs; }
    Index weights() const { return groups * inputs * outputs; }
};

// In memory the groups of all rows are blocks one after the other. A vector of outputs meets some of them; it
// reads `count` inputs from `first` on, and its weights are a matrix [count, width of a vector] with zeros
// where an input belongs to another block.
struct Reach {
    Index first, count, offset;
};

template <typename T>
struct Reaches {
    Period period;
    Index step;  // inputs of a period
    Index size = 0;  // elements of all matrices
    Array<Reach> each;

    explicit Reaches(const Pointwise& shape)
        : period(native::period<T>(shape.written(), 1)), step(period.rows * shape.read()), each(vectors()) {
        constexpr Index w = kWidth<T>;
        for (Index v = 0; v < vectors(); ++v) {
            const Index block = v * w / shape.outputs, last = ((v + 1) * w - 1) / shape.outputs;
            each[v] = {block * shape.inputs, (last + 1 - block) * shape.inputs, size};
            size += each[v].count * w;
        }
    }
    Index vectors() const { return period.lanes / kWidth<T>; }
    // Calls body(index in the matrices, output channel, input of its group) for each weight in a period.
    template <typename Body>
    void for_weights(const Pointwise& shape, const Body& body) const {
        constexpr Index w = kWidth<T>;
        for (Index lane = 0; lane < period.lanes; ++lane) {
            const Reach& reach = each[lane / w];
            const Index start = lane / shape.outputs * shape.inputs - reach.first;
            const Index at = reach.offset + start * w + lane % w, channel = lane % shape.written();
            for (Index i = 0; i < shape.inputs; ++i) body(at + i * w, channel, i);
        }
    }
};

// A weight lies at group * inputs * outputs + output * `by_output` + input * `by_input`.
struct Strides {
    Index by_output, by_input;
};

template <typename T>
const T* fill_matrices(const Pointwise& shape, const Reaches<T>& reaches, const T* weights, Strides strides,
                       Array<T>& matrices) {
    std::fill_n(matrices.reserve(reaches.size), reaches.size, T(0));
    reaches.for_weights(shape, [&](Index at, Index channel, Index input) {
        const Index group = channel / shape.outputs, output = channel % shape.outputs;
        matrices[at] =
            weights[group * shape.inputs * shape.outputs + output * strides.by_output + input * strides.by_input];
    });
    return matrices.get();
}

// One vector of outputs for N periods; `seen` adds them up.
template <int N, typename T>
inline void multiply(const T* x, Index step, const T* matrix, Index count, Index lanes, T* out,
                     Vector<T>& seen) {
    Vector<T> sum[N] = {};
    for (Index i = 0; i < count; ++i) {
        const Vector<T> weights = load(matrix + i * kWidth<T>);
        for (int p = 0; p < N; ++p) sum[p] += x[p * step + i] * weights;
    }
    for (int p = 0; p < N; ++p) {
        store(out + p * lanes, sum[p]);
        seen += sum[p];
    }
}

// The outputs of rows, one number after the other.
template <typename T>
void multiply_rows(const T* x, const T* weights, const Pointwise& shape, Strides strides, Index first, Index end,
                   T* out) {
    for (Index row = first; row < end; ++row)
        for (Index c = 0; c < shape.written(); ++c) {
            const Index group = c / shape.outputs;
            const T* from = x + row * shape.read() + group * shape.inputs;
            const T* weight = weights + group * shape.inputs * shape.outputs + c % shape.outputs * strides.by_output;
            T sum = 0;
            for (Index i = 0; i < shape.inputs; ++i) sum += from[i] * weight[i * strides.by_input];
            out[row * shape.written() + c] = sum;
        }
}

// out[row, output] = the sum over inputs of x[row, input] * weight[output, input], in each group.
template <typename T>
void multiply_groups(const T* x, const T* weights, const Pointwise& shape, Strides strides, int threads, T* out) {
    constexpr Index w = kWidth<T>, together = 8;
    const Reaches<T> reaches(shape);
    Array<T> buffer;
    const T* matrices = fill_matrices(shape, reaches, weights, strides, buffer);
    const Period& period = reaches.period;
    const Parts parts = split(shape.rows, period);
    parallel(parts.count, threads, shape.rows * shape.weights(), [&](Index part) {
        const Index length = parts.length(part), periods = length / period.rows;
        const T* from = x + parts.first(part) * shape.read();
        T* to = out + parts.first(part) * shape.written();
        Vector<T> seen{};
        Index start = 0;
        for (; start + together <= periods; start += together)
            for (Index v = 0; v < reaches.vectors(); ++v) {
                const Reach& reach = reaches.each[v];
                multiply<together>(from + start * reaches.step + reach.first, reaches.step, matrices + reach.offset,
                                   reach.count, period.lanes, to + start * period.lanes + v * w, seen);
            }
        for (; start < periods; ++start)
            for (Index v = 0; v < reaches.vectors(); ++v) {
                const Reach& reach = reaches.each[v];
                multiply<1>(from + start * reaches.step + reach.first, reaches.step, matrices + reach.offset,
                            reach.count, period.lanes, to + start * period.lanes + v * w, seen);
            }
        // A zero times a number that is not finite is none: it would spread to other pixels and groups.
        bool is_number = true;
        for (Index lane = 0; lane < w; ++lane) is_number = is_number && seen[lane] == seen[lane];
        multiply_rows(from, weights, shape, strides, is_number ? periods * period.rows : 0, length, to);
    });
}

// Adds, over some periods, the products of N inputs with a vector of outputs' gradients.
template <int N, typename T>
inline void add_products(const T* x, Index step, const T* g, Index lanes, Index periods, double* sums) {
    constexpr Index w = kWidth<T>;
    Vector<T> sum[N] = {};
    for (Index p = 0; p < periods; ++p, x += step, g += lanes) {
        const Vector<T> gradient = load(g);
        for (int i = 0; i < N; ++i) sum[i] += x[i] * gradient;
    }
    for (int i = 0; i < N; ++i)
        for (Index lane = 0; lane < w; ++lane) sums[i * w + lane] += sum[i][lane];
}

// The sums of x[row, input] * g[row, output] over one part, laid out as the matrices are.
template <typename T>
void product_sums(const T* x, const T* g, Index periods, const Reaches<T>& reaches, double* sums) {
    constexpr Index w = kWidth<T>, most = 128;
    constexpr int tile = NATIVE_VECTOR_BYTES == 64 ? 16 : 8;
    const Index lanes = reaches.period.lanes, step = reaches.step;
    for (Index start = 0; start < periods; start += most) {
        const Index count = std::min(most, periods - start);
        for (Index v = 0; v < reaches.vectors(); ++v) {
            const Reach& reach = reaches.each[v];
            const T *from = x + start * step + reach.first, *gradient = g + start * lanes + v * w;
            double* to = sums + reach.offset;
            Index i = 0;
            for (; i + tile <= reach.count; i += tile)
                add_products<tile>(from + i, step, gradient, lanes, count, to + i * w);
            for (; i + 4 <= reach.count; i += 4)
                add_products<4>(from + i, step, gradient, lanes, count, to + i * w);
            for (; i < reach.count; ++i) add_products<1>(from + i, step, gradient, lanes, count, to + i * w);
        }
    }
}

template <typename T>
void pointwise_weight_gradient(const T* gradient, const T* x, const Pointwise& shape, int threads, T* out) {
    const Reaches<T> reaches(shape);
    const Period& period = reaches.period;
    const Parts parts = split(shape.rows, period);
    const Index size = reaches.size + shape.weights();  // the products, and those of the rows that fill no period
    const Array<double> sums(std::max<Index>(1, parts.count) * size);
    std::fill_n(sums.get(), size, 0.0);
    parallel(parts.count, threads, shape.rows * shape.weights(), [&](Index part) {
        const Index length = parts.length(part), periods = length / period.rows;
        const T *from = x + parts.first(part) * shape.read(), *g = gradient + parts.first(part) * shape.written();
        double *to = sums.get() + part * size, *rest = to + reaches.size;
        std::fill_n(to, size, 0.0);
        product_sums(from, g, periods, reaches, to);
        for (Index row = periods * period.rows; row < length; ++row)
            for (Index c = 0; c < shape.written(); ++c)
                for (Index i = 0; i < shape.inputs; ++i)
                    rest[c * shape.inputs + i] += static_cast<double>(g[row * shape.written() + c]) *
                                                  from[row * shape.read() + c / shape.outputs * shape.inputs + i];
    });
    for (Index part = 1; part < parts.count; ++part)
        for (Index i = 0; i < size; ++i) sums[i] += sums[part * size + i];
    double* totals = sums.get() + reaches.size;
    reaches.for_weights(shape, [&](Index at, Index channel, Index input) {
        totals[channel * shape.inputs + input] += sums[at];
    });
    std::copy_n(totals, shape.weights(), out);
}

template <typename T>
void pointwise_forward(const T* x, const T* weight, const Pointwise& shape, int threads, T* out) {
    multiply_groups(x, weight, shape, {shape.inputs, 1}, threads, out);
}

// `x_gradient` and `weight_gradient` are null where they are not needed.
template <typename T>
void pointwise_backward(const T* gradient, const T* x, const T* weight, const Pointwise& shape, int threads,
                        T* x_gradient, T* weight_gradient) {
    if (x_gradient != nullptr) {
        const Pointwise reversed{shape.rows, shape.groups, shape.outputs, shape.inputs};
        multiply_groups(gradient, weight, reversed, {1, shape.inputs}, threads, x_gradient);
    }
    if (weight_gradient != nullptr) pointwise_weight_gradient(gradient, x, shape, threads, weight_gradient);
}

}  // namespace native
