// Runs the kernels of src/main/cuda on the CPU: a header for g++ that stands for CUDA's own.
//
// Blocks run one after the other. The threads of a block are fibers on one thread of the host, taken in turn warp by warp;
// a fiber runs until it waits for its warp (shuffles, ballots, tensor core products) or its block (__syncthreads). Shared
// memory is static memory, which keeps what the block before left there. What would hang or mean nothing on a device ends the process
// with a message: warps that part at a barrier, lanes that miss a shuffle.
//
// Kernels register themselves, and the fake driver (fake_cuda.cpp) finds them by name.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>

#if !defined(__x86_64__)
#error "the switch between fibers is written for x86-64"
#endif

namespace emulation {

constexpr int WARP_LANES = 32;

struct Dimensions {
    unsigned x, y, z;
};

extern Dimensions thread_index, block_index, block_size, grid_size;

// A kernel: calls the function with arguments that lie in memory.
struct Kernel {
    const char* name;
    int threads;
    size_t argument_bytes;
    void (*call)(const void* arguments);
    Kernel* next;
};

struct Registration {
    Kernel kernel;
    Registration(const char* name, int threads, size_t bytes, void (*call)(const void*));
};

void wait_for_block();

// Hands in up to 8 words of this lane and waits for the warp; the result is valid until the lane waits again.
const uint32_t (*exchange(const uint32_t* words, int count))[8];

void launch(const Kernel& kernel, Dimensions grid, Dimensions block, const void* arguments);

const Kernel* find(const char* name);

void multiply_tile(float (&d)[4], uint32_t a0, uint32_t a1, uint32_t a2, uint32_t a3, uint32_t b0, uint32_t b1);

template <class T>
inline uint32_t bits_of(T x) {
    static_assert(sizeof(T) == 4, "one word");
    uint32_t bits;
    memcpy(&bits, &x, 4);
    return bits;
}

template <class T>
inline T of_bits(uint32_t bits) {
    T x;
    memcpy(&x, &bits, 4);
    return x;
}

inline int lane() {
    return thread_index.x % WARP_LANES;
}

}  // namespace emulation

#define INLINE inline
#define __shared__ static
#define __launch_bounds__(...)
#define threadIdx emulation::thread_index
#define blockIdx emulation::block_index
#define blockDim emulation::block_size
#define gridDim emulation::grid_size

#define KERNEL(name, Arguments, threads, blocks)                                                          \
    static void name(const Arguments& a);                                                                 \
    static const emulation::Registration registration_of_##name(                                          \
            #name, threads, sizeof(Arguments),                                                            \
            [](const void* arguments) { name(*static_cast<const Arguments*>(arguments)); });               \
    static void name(const Arguments& a)

using std::max;
using std::min;

struct uint2 {
    uint32_t x, y;
};
struct alignas(16) uint4 {
    uint32_t x, y, z, w;
};
struct alignas(16) float4 {
    float x, y, z, w;
};

inline uint2 make_uint2(uint32_t x, uint32_t y) {
    return {x, y};
}
inline float4 make_float4(float x, float y, float z, float w) {
    return {x, y, z, w};
}
inline float __uint_as_float(uint32_t bits) {
    return emulation::of_bits<float>(bits);
}
inline uint32_t __float_as_uint(float x) {
    return emulation::bits_of(x);
}
inline uint4 __ldcs(const uint4* at) {
    return *at;
}
inline int __ffs(unsigned x) {
    return __builtin_ffs(static_cast<int>(x));
}
inline int __popc(unsigned x) {
    return __builtin_popcount(x);
}
inline void __syncthreads() {
    emulation::wait_for_block();
}

template <class T>
inline T __shfl_sync(unsigned, T x, int from) {
    const uint32_t word = emulation::bits_of(x);
    return emulation::of_bits<T>(emulation::exchange(&word, 1)[from % emulation::WARP_LANES][0]);
}
template <class T>
inline T __shfl_xor_sync(unsigned, T x, int lanes) {
    return __shfl_sync(0, x, emulation::lane() ^ lanes);
}
template <class T>
inline T __shfl_up_sync(unsigned, T x, int lanes) {
    return __shfl_sync(0, x, emulation::lane() < lanes ? emulation::lane() : emulation::lane() - lanes);
}
inline unsigned __ballot_sync(unsigned, bool x) {
    const uint32_t word = x ? 1 : 0;
    const uint32_t(*all)[8] = emulation::exchange(&word, 1);
    unsigned ballot = 0;
    for (int lane = 0; lane < emulation::WARP_LANES; lane++) {
        ballot |= all[lane][0] << lane;
    }
    return ballot;
}
inline int atomicMax(int* at, int x) {
    const int old = *at;
    *at = max(old, x);
    return old;
}
