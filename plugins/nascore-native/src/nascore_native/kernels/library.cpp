// The plain C interface: pointers and numbers only, so that one library serves every version of torch.
// Each function returns 0, or 1 where memory is short.

#include "depthwise.h"
#include "mixed.h"
#include "norm.h"
#include "pointwise.h"

#define NATIVE_EXPORT extern "C" __attribute__((visibility("default"))) int

namespace {

template <typename Body>
int guarded(const Body& body) {
    try {
        body();
        return 0;
    } catch (...) {
        return 1;
    }
}

}  // namespace

// The numbers of a convolution, in the order of native::Convolution.
#define NATIVE_DEFINE(T, SUFFIX)                                                                                   \
    NATIVE_EXPORT nascore_depthwise_forward_##SUFFIX(const T* input, const T* weight,                             \
                                                     const native::Convolution* shape, int threads, T* out) {     \
        return guarded([&] { native::correlate_images(input, weight, *shape, false, threads, out); });            \
    }                                                                                                              \
    NATIVE_EXPORT nascore_depthwise_backward_##SUFFIX(const T* gradient, const T* input, const T* weight,          \
                                                      const native::Convolution* shape, int threads,              \
                                                      T* input_gradient, T* weight_gradient) {                    \
        return guarded([&] {                                                                                       \
            native::depthwise_backward(gradient, input, weight, *shape, threads, input_gradient, weight_gradient); \
        });                                                                                                        \
    }                                                                                                              \
    NATIVE_EXPORT nascore_pointwise_forward_##SUFFIX(const T* x, const T* weight, const native::Pointwise* shape, \
                                                     int threads, T* out) {                                       \
        return guarded([&] { native::pointwise_forward(x, weight, *shape, threads, out); });                      \
    }                                                                                                              \
    NATIVE_EXPORT nascore_pointwise_backward_##SUFFIX(const T* gradient, const T* x, const T* weight,              \
                                                      const native::Pointwise* shape, int threads,                \
                                                      T* x_gradient, T* weight_gradient) {                        \
        return guarded([&] {                                                                                       \
            native::pointwise_backward(gradient, x, weight, *shape, threads, x_gradient, weight_gradient);         \
        });                                                                                                        \
    }                                                                                                              \
    NATIVE_EXPORT nascore_norm_relu_forward_##SUFFIX(const T* x, std::int64_t rows, std::int64_t channels,         \
                                                     double eps, int threads, T* out, T* affine) {                \
        return guarded([&] { native::norm_relu_forward(x, rows, channels, eps, threads, out, affine); });         \
    }                                                                                                              \
    NATIVE_EXPORT nascore_norm_relu_backward_##SUFFIX(const T* gradient, const T* x, const T* affine,              \
                                                      std::int64_t rows, std::int64_t channels, int threads,      \
                                                      T* out) {                                                   \
        return guarded([&] { native::norm_relu_backward(gradient, x, affine, rows, channels, threads, out); });   \
    }                                                                                                              \
    NATIVE_EXPORT nascore_mixed_sum_forward_##SUFFIX(const native::Sizes* sizes, const T* const* terms,           \
                                                     const std::uint8_t* normed, const T* weights, int per_image, \
                                                     double eps, int threads, T* out, T* affine) {                \
        const native::Mixture<T> mixture{*sizes, terms, normed, weights, per_image != 0};                          \
        return guarded([&] { native::mixed_sum_forward(mixture, eps, threads, out, affine); });                   \
    }                                                                                                              \
    NATIVE_EXPORT nascore_mixed_sum_backward_##SUFFIX(                                                             \
        const native::Sizes* sizes, const T* const* terms, const std::uint8_t* normed, const T* weights,          \
        int per_image, const T* gradient, const T* affine, int by_image, int threads, T* const* out,              \
        T* weight_gradient) {                                                                                      \
        const native::Mixture<T> mixture{*sizes, terms, normed, weights, per_image != 0};                          \
        return guarded([&] {                                                                                       \
            native::mixed_sum_backward(mixture, gradient, affine, by_image != 0, threads, out, weight_gradient);   \
        });                                                                                                        \
    }

NATIVE_DEFINE(float, f32)
NATIVE_DEFINE(double, f64)
