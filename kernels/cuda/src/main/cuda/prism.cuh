// Types and primitives that all kernels share. Compiled by nvcc for the device and, with the test header emulation.h
// included first, by g++ for the CPU.
//
// Conventions. Activations are F32 rows. Rows of weights and of activations are padded to PAD elements, the padding is
// zero, so that no load needs a bound and every load of four elements is aligned. A kernel takes one structure, whose
// layout the host repeats (KernelArguments.java).
#pragma once

#include <stdint.h>

#ifdef __CUDACC__
// The entry of a kernel: `threads` a block, registers bounded so that `blocks` blocks fit a multiprocessor.
#define KERNEL(name, Arguments, threads, blocks) \
    extern "C" __global__ void __launch_bounds__(threads, blocks) name(const Arguments a)
#define INLINE __device__ __forceinline__
#if __CUDA_ARCH__ >= 800
#define TENSOR_CORES 1
#endif
#endif

// Elements a row is padded to: a chunk of weights in any precision (see Weights in product.cuh) divides it.
constexpr int PAD = 128;
constexpr int WARP = 32;
// Slots of a cache page.
constexpr int PAGE = 64;
// Most children of a node and rows of a draft step.
constexpr int MOST_WIDTH = 32;
// Most draft steps of a round.
constexpr int MOST_STEPS = 16;
constexpr unsigned ALL = 0xffffffffu;

// What changes from round to round; in device memory, so that a captured graph need not change.
struct Round {
    int length;  // entries of the cache before this round
    int rows;    // positions to extend by, at least 1
    int last;    // rows - 1
    int nodes;   // most nodes of the tree, root not counted
    // what is made of logits: sharpness (logit + temperature noise), the noise by the key of the step whose logits they are
    float sharpness;
    float temperature;
    uint64_t keys[MOST_STEPS];
};

// Rows of activations: row r starts at element (index ? index[r] : r) * stride.
struct Rows {
    const void* data;
    const int* index;
    int stride;
    int bf16;  // whether elements are BF16, else F32
};

INLINE float bf16_to_float(uint32_t bits) {
    return __uint_as_float(bits << 16);
}

// x as BF16, to nearest even; finite x only.
INLINE uint32_t float_to_bf16(float x) {
    const uint32_t bits = __float_as_uint(x);
    return (bits + 0x7fffu + ((bits >> 16) & 1u)) >> 16;
}

INLINE const char* row_of(const Rows& rows, int row) {
    const int at = rows.index != nullptr ? rows.index[row] : row;
    return static_cast<const char*>(rows.data) + static_cast<int64_t>(at) * rows.stride * (rows.bf16 ? 2 : 4);
}

// Elements k to k + 3 of an F32 row; k is a multiple of 4.
INLINE float4 load4(const char* row, int k) {
    return *reinterpret_cast<const float4*>(row + 4 * static_cast<int64_t>(k));
}

// The same of a row of either kind, without a branch: BF16 rows are read 8 bytes too far, which their owner allows for.
INLINE float4 load4(const char* row, int bf16, int k) {
    const char* at = row + static_cast<int64_t>(k) * (bf16 ? 2 : 4);
    const uint2 low = *reinterpret_cast<const uint2*>(at);
    const uint2 high = *reinterpret_cast<const uint2*>(at + 8);
    return make_float4(__uint_as_float(bf16 ? low.x << 16 : low.x),
                       __uint_as_float(bf16 ? low.x & 0xffff0000u : low.y),
                       __uint_as_float(bf16 ? low.y << 16 : high.x),
                       __uint_as_float(bf16 ? low.y & 0xffff0000u : high.y));
}

INLINE float load1(const char* row, int bf16, int k) {
    return bf16 ? bf16_to_float(reinterpret_cast<const uint16_t*>(row)[k]) : reinterpret_cast<const float*>(row)[k];
}

// Weights are read once: don't let them push activations out of the caches.
INLINE uint4 load_weights(const uint4* at) {
    return __ldcs(at);
}

INLINE float warp_sum(float x) {
    for (int lanes = WARP / 2; lanes > 0; lanes /= 2) {
        x += __shfl_xor_sync(ALL, x, lanes);
    }
    return x;
}

INLINE float warp_max(float x) {
    for (int lanes = WARP / 2; lanes > 0; lanes /= 2) {
        x = fmaxf(x, __shfl_xor_sync(ALL, x, lanes));
    }
    return x;
}

INLINE float minus_infinity() {
    return __uint_as_float(0xff800000u);
}

INLINE float soft_capped(float x, float cap) {
    return cap > 0 ? cap * tanhf(x / cap) : x;
}
