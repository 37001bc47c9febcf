// The skinny matrix product: y = x W^T for few rows of x, every weight read from memory once.
//
// A block computes a tile of 32 outputs for all rows; its 8 warps share out the inputs in chunks and add up in the end.
// In a chunk a lane holds 16 bytes of each of 4 outputs: of lane 4 g + t they are outputs g, g + 8, g + 16, g + 24, and
// the t-th part of the chunk's inputs. That is how the tensor cores' m16n8k16 wants its operand A, up to the order of
// inputs, which is free as long as activations come in the same order: the four inputs of a "quad" stand for inputs
// 2t, 2t + 1, 2t + 8, 2t + 9 of a product of 16 inputs.
//
// Few rows are multiplied by plain F32 arithmetic, 8 and more by tensor cores. Those take BF16: an activation is split
// into two BF16 numbers, whose sum differs from it by at most 2^-17 of it; weights are exact, as scales are applied to
// sums.
#pragma once

#include "prism.cuh"

constexpr int WARPS = 8;
constexpr int THREADS = WARPS * WARP;
constexpr int TILE = 32;   // outputs of a block
constexpr int LANE_OUTPUTS = TILE / 8;
constexpr int COLUMNS = 8;  // rows of x that one tensor core product takes

struct Product {
    const uint4* weights;  // [outputs rounded up to TILE, inputs], see Weights
    const float* scales;   // [outputs rounded up to TILE, inputs / 32], or null
    const float* bias;     // [outputs], or null
    Rows x;                // inputs below `split`
    Rows second;           // the others; not read unless the kernel is a fusion
    Rows residual;         // added to the result, [rows, outputs]; data may be null
    float* y;              // [rows, outputs]
    int outputs;
    int inputs;  // padded
    int split;   // inputs that x holds, padded
    int rows;
    int y_stride;
};

// A precision of weights:
//   CHUNK   inputs that four lanes with 16 bytes each hold
//   QUADS   groups of four inputs that a lane holds of a chunk
//   BLOCKS  scales of a chunk, two quads each; 0 if there are none
//   input   first input of a quad within the chunk
//   values  the quad as floats, before scaling
//   pairs   the quad as two pairs of BF16, in the order that `second_of_pair` tells
struct F32Weights {
    static constexpr int CHUNK = 16, QUADS = 1, BLOCKS = 0;
    static INLINE int input(int, int t) { return 4 * t; }
    static INLINE float4 values(const uint4& w, int) {
        return make_float4(__uint_as_float(w.x), __uint_as_float(w.y), __uint_as_float(w.z), __uint_as_float(w.w));
    }
};

// Row-major, two elements a word.
struct Bf16Weights {
    static constexpr int CHUNK = 32, QUADS = 2, BLOCKS = 0;
    static constexpr bool INTERLEAVED = false;
    static INLINE int input(int quad, int t) { return 8 * t + 4 * quad; }
    static INLINE float4 values(const uint4& w, int quad) {
        const uint32_t low = quad == 0 ? w.x : w.z;
        const uint32_t high = quad == 0 ? w.y : w.w;
        return make_float4(__uint_as_float(low << 16), __uint_as_float(low & 0xffff0000u),
                           __uint_as_float(high << 16), __uint_as_float(high & 0xffff0000u));
    }
    static INLINE uint2 pairs(const uint4& w, int quad) {
        return quad == 0 ? make_uint2(w.x, w.y) : make_uint2(w.z, w.w);
    }
};

INLINE uint32_t word_of(const uint4& w, int i) {
    return i == 0 ? w.x : i == 1 ? w.y : i == 2 ? w.z : w.w;
}

// A chunk is two blocks of 32 bytes, interleaved by 8 bytes: a lane holds the t-th eighth of both.
struct I8Weights {
    static constexpr int CHUNK = 64, QUADS = 4, BLOCKS = 2;
    static constexpr bool INTERLEAVED = false;
    static INLINE int input(int quad, int t) { return 32 * (quad / 2) + 8 * t + 4 * (quad % 2); }
    static INLINE float value(uint32_t word, int byte) {
        // 2^23 + n is the float with n in its lowest bits
        const uint32_t offset = ((word ^ 0x80808080u) >> (8 * byte)) & 0xffu;
        return __uint_as_float(0x4b000000u | offset) - 8388736.0f;
    }
    static INLINE float4 values(const uint4& w, int quad) {
        const uint32_t word = word_of(w, quad);
        return make_float4(value(word, 0), value(word, 1), value(word, 2), value(word, 3));
    }
    static INLINE uint32_t pair(float low, float high) {
        // 8 significant bits hold them exactly
        return (__float_as_uint(low) >> 16) | (__float_as_uint(high) & 0xffff0000u);
    }
    static INLINE uint2 pairs(const uint4& w, int quad) {
        const float4 v = values(w, quad);
        return make_uint2(pair(v.x, v.y), pair(v.z, v.w));
    }
};

// A chunk is four blocks of 16 bytes, interleaved by words: a lane holds the t-th word of all four.
struct Q4Weights {
    static constexpr int CHUNK = 128, QUADS = 8, BLOCKS = 4;
    static constexpr bool INTERLEAVED = true;
    static INLINE int input(int quad, int t) { return 32 * (quad / 2) + 16 * (quad % 2) + 4 * t; }
    static INLINE float value(uint32_t word, int shift) {
        return __uint_as_float(0x4b000000u | ((word >> shift) & 0xfu)) - 8388616.0f;
    }
    static INLINE float4 values(const uint4& w, int quad) {
        const uint32_t word = word_of(w, quad / 2) >> (4 * (quad % 2));
        return make_float4(value(word, 0), value(word, 8), value(word, 16), value(word, 24));
    }
    // elements 0 and 2, then 1 and 3: that is how a mask finds them
    static INLINE uint2 pairs(const uint4& w, int quad) {
        const uint32_t word = word_of(w, quad / 2) >> (4 * (quad % 2));
        return make_uint2(centered(word & 0x000f000fu), centered((word >> 8) & 0x000f000fu));
    }
    static INLINE uint32_t centered(uint32_t nibbles) {
        // 0x4300 is 128, whose lowest bit is 1: or-ing a nibble adds it
        return bf16x2_minus(nibbles | 0x43004300u, 0xc308c308u);
    }
    // a + b for BF16 pairs whose sums are exact; b is -136
    static INLINE uint32_t bf16x2_minus(uint32_t a, uint32_t b) {
#ifdef TENSOR_CORES
        uint32_t sum;
        asm("fma.rn.bf16x2 %0, %1, %2, %3;" : "=r"(sum) : "r"(a), "r"(0x3f803f80u), "r"(b));
        return sum;
#else
        const float low = bf16_to_float(a & 0xffffu) + bf16_to_float(b & 0xffffu);
        const float high = __uint_as_float(a & 0xffff0000u) + __uint_as_float(b & 0xffff0000u);
        return (__float_as_uint(low) >> 16) | (__float_as_uint(high) & 0xffff0000u);
#endif
    }
};

// Two floats as BF16, the first in the low half.
INLINE uint32_t bf16_pair(float first, float second) {
#ifdef TENSOR_CORES
    uint32_t pair;
    asm("cvt.rn.bf16x2.f32 %0, %1, %2;" : "=r"(pair) : "f"(second), "f"(first));
    return pair;
#else
    return float_to_bf16(first) | (float_to_bf16(second) << 16);
#endif
}

#if defined(__CUDACC__)
#ifdef TENSOR_CORES
// d += A B with A [16 outputs, 16 inputs], B [16 inputs, 8 columns], as fragments of a warp.
INLINE void multiply_tile(float (&d)[4], uint32_t a0, uint32_t a1, uint32_t a2, uint32_t a3, uint2 b) {
    asm("mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, {%0,%1,%2,%3};"
        : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3])
        : "r"(a0), "r"(a1), "r"(a2), "r"(a3), "r"(b.x), "r"(b.y));
}
#endif
#else
INLINE void multiply_tile(float (&d)[4], uint32_t a0, uint32_t a1, uint32_t a2, uint32_t a3, uint2 b) {
    emulation::multiply_tile(d, a0, a1, a2, a3, b.x, b.y);
}
#define TENSOR_CORES_EMULATED 1
#endif

INLINE float element(const float4& v, int i) {
    return i == 0 ? v.x : i == 1 ? v.y : i == 2 ? v.z : v.w;
}

// Where the rows of x start, for a block's rows; both parts if PAIR.
template <int ROWS, bool PAIR>
struct Inputs {
    const char* first[ROWS];
    const char* second[PAIR ? ROWS : 1];

    INLINE float4 load(const Product& a, int row, int k) const {
        if (!PAIR) {
            return load4(first[row], k);
        }
        const bool later = k >= a.split;
        return load4(later ? second[PAIR ? row : 0] : first[row], later ? a.second.bf16 : a.x.bf16,
                     later ? k - a.split : k);
    }
};

template <class W>
struct Scales {
    float of[LANE_OUTPUTS][W::BLOCKS == 0 ? 1 : W::BLOCKS];
};

template <class W>
INLINE void load_chunk(const Product& a, int tile, int chunk, int g, int t, uint4 (&w)[LANE_OUTPUTS], Scales<W>& scales) {
    const int chunks = a.inputs / W::CHUNK;
#pragma unroll
    for (int o = 0; o < LANE_OUTPUTS; o++) {
        const int64_t output = tile * TILE + g + 8 * o;
        w[o] = load_weights(a.weights + (output * chunks + chunk) * 4 + t);
        if (W::BLOCKS > 0) {
#pragma unroll
            for (int block = 0; block < W::BLOCKS; block++) {
                scales.of[o][block] = a.scales[(output * chunks + chunk) * W::BLOCKS + block];
            }
        }
    }
}

// DEPTH below is the number of chunks a warp keeps in flight. Two of them, 2 KiB each, on 16 warps of a multiprocessor are
// more than the latency of the memory asks for; where registers are short one has to do.

// Sums of a warp, spread over its lanes, by plain arithmetic: ROWS rows, all outputs of the lane.
template <class W, int ROWS, bool PAIR>
struct PlainSums {
    static constexpr int COUNT = ROWS;
    static constexpr int ROWS_AT_ONCE = ROWS;
    static constexpr int DEPTH = ROWS > 2 && W::BLOCKS > 0 ? 1 : 2;
    float sums[LANE_OUTPUTS][ROWS];
    Inputs<ROWS, PAIR> inputs;

    INLINE void start(const Product& a, int first_row) {
#pragma unroll
        for (int row = 0; row < ROWS; row++) {
            // rows beyond the last compute the last one again
            const int actual = min(first_row + row, a.rows - 1);
            inputs.first[row] = row_of(a.x, actual);
            if (PAIR) {
                inputs.second[PAIR ? row : 0] = row_of(a.second, actual);
            }
#pragma unroll
            for (int o = 0; o < LANE_OUTPUTS; o++) {
                sums[o][row] = 0;
            }
        }
    }

    INLINE void add(const Product& a, int chunk, int, int t, const uint4 (&w)[LANE_OUTPUTS], const Scales<W>& scales) {
        constexpr int QUADS_OF_SCALE = W::BLOCKS == 0 ? W::QUADS : 2;
#pragma unroll
        for (int from = 0; from < W::QUADS; from += QUADS_OF_SCALE) {
            float part[LANE_OUTPUTS][ROWS];
#pragma unroll
            for (int o = 0; o < LANE_OUTPUTS; o++) {
#pragma unroll
                for (int row = 0; row < ROWS; row++) {
                    part[o][row] = 0;
                }
            }
#pragma unroll
            for (int quad = from; quad < from + QUADS_OF_SCALE; quad++) {
                float4 v[LANE_OUTPUTS];
#pragma unroll
                for (int o = 0; o < LANE_OUTPUTS; o++) {
                    v[o] = W::values(w[o], quad);
                }
#pragma unroll
                for (int row = 0; row < ROWS; row++) {
                    const float4 x = inputs.load(a, row, chunk * W::CHUNK + W::input(quad, t));
#pragma unroll
                    for (int o = 0; o < LANE_OUTPUTS; o++) {
                        part[o][row] = fmaf(v[o].x, x.x, part[o][row]);
                        part[o][row] = fmaf(v[o].y, x.y, part[o][row]);
                        part[o][row] = fmaf(v[o].z, x.z, part[o][row]);
                        part[o][row] = fmaf(v[o].w, x.w, part[o][row]);
                    }
                }
            }
#pragma unroll
            for (int o = 0; o < LANE_OUTPUTS; o++) {
#pragma unroll
                for (int row = 0; row < ROWS; row++) {
                    sums[o][row] = W::BLOCKS == 0 ? sums[o][row] + part[o][row]
                                                  : fmaf(scales.of[o][from / 2], part[o][row], sums[o][row]);
                }
            }
        }
    }

    // Leaves the warp's sums of rows `from` to `from + COUNT - 1` in out[output][row].
    template <int STRIDE>
    INLINE void store(int, int g, int t, float (&out)[TILE][STRIDE]) {
#pragma unroll
        for (int o = 0; o < LANE_OUTPUTS; o++) {
#pragma unroll
            for (int row = 0; row < ROWS; row++) {
                float sum = sums[o][row];
                sum += __shfl_xor_sync(ALL, sum, 1);
                sum += __shfl_xor_sync(ALL, sum, 2);
                if (t == 0) {
                    out[g + 8 * o][row] = sum;
                }
            }
        }
    }
};

#if defined(TENSOR_CORES) || defined(TENSOR_CORES_EMULATED)
// Sums of a warp by tensor cores: NT times 8 rows.
template <class W, int NT, bool PAIR>
struct TensorSums {
    static constexpr int COUNT = NT * COLUMNS;
    // whose sums are added up across warps at a time, which bounds shared memory
    static constexpr int ROWS_AT_ONCE = COUNT < 32 ? COUNT : 32;
    static constexpr int DEPTH = NT > 2 || W::BLOCKS > 0 ? 1 : 2;
    float sums[2][NT][4];
    Inputs<NT, PAIR> inputs;

    INLINE void start(const Product& a, int first_row) {
        const int g = threadIdx.x % WARP / 4;
#pragma unroll
        for (int n = 0; n < NT; n++) {
            // columns beyond the last row compute that one again
            const int actual = min(first_row + n * COLUMNS + g, a.rows - 1);
            inputs.first[n] = row_of(a.x, actual);
            if (PAIR) {
                inputs.second[PAIR ? n : 0] = row_of(a.second, actual);
            }
#pragma unroll
            for (int i = 0; i < 4; i++) {
                sums[0][n][i] = 0;
                sums[1][n][i] = 0;
            }
        }
    }

    INLINE void add(const Product& a, int chunk, int, int t, const uint4 (&w)[LANE_OUTPUTS], const Scales<W>& scales) {
        constexpr int QUADS_OF_SCALE = W::BLOCKS == 0 ? W::QUADS : 2;
#pragma unroll
        for (int from = 0; from < W::QUADS; from += QUADS_OF_SCALE) {
            float part[2][NT][4];
#pragma unroll
            for (int n = 0; n < NT; n++) {
#pragma unroll
                for (int i = 0; i < 4; i++) {
                    part[0][n][i] = W::BLOCKS == 0 ? sums[0][n][i] : 0;
                    part[1][n][i] = W::BLOCKS == 0 ? sums[1][n][i] : 0;
                }
            }
#pragma unroll
            for (int quad = from; quad < from + QUADS_OF_SCALE; quad++) {
                uint2 v[LANE_OUTPUTS];
#pragma unroll
                for (int o = 0; o < LANE_OUTPUTS; o++) {
                    v[o] = W::pairs(w[o], quad);
                }
#pragma unroll
                for (int n = 0; n < NT; n++) {
                    const float4 x = inputs.load(a, n, chunk * W::CHUNK + W::input(quad, t));
                    const float second = W::INTERLEAVED ? x.z : x.y;
                    const float third = W::INTERLEAVED ? x.y : x.z;
                    const uint2 high = make_uint2(bf16_pair(x.x, second), bf16_pair(third, x.w));
                    const uint2 low =
                            make_uint2(bf16_pair(x.x - __uint_as_float(high.x << 16),
                                                 second - __uint_as_float(high.x & 0xffff0000u)),
                                       bf16_pair(third - __uint_as_float(high.y << 16),
                                                 x.w - __uint_as_float(high.y & 0xffff0000u)));
#pragma unroll
                    for (int i = 0; i < 2; i++) {
                        multiply_tile(part[i][n], v[2 * i].x, v[2 * i + 1].x, v[2 * i].y, v[2 * i + 1].y, high);
                        multiply_tile(part[i][n], v[2 * i].x, v[2 * i + 1].x, v[2 * i].y, v[2 * i + 1].y, low);
                    }
                }
            }
#pragma unroll
            for (int n = 0; n < NT; n++) {
#pragma unroll
                for (int i = 0; i < 4; i++) {
                    sums[0][n][i] = W::BLOCKS == 0
                                            ? part[0][n][i]
                                            : fmaf(scales.of[i / 2][from / 2], part[0][n][i], sums[0][n][i]);
                    sums[1][n][i] = W::BLOCKS == 0
                                            ? part[1][n][i]
                                            : fmaf(scales.of[2 + i / 2][from / 2], part[1][n][i], sums[1][n][i]);
                }
            }
        }
    }

    template <int STRIDE>
    INLINE void store(int from, int g, int t, float (&out)[TILE][STRIDE]) {
#pragma unroll
        for (int n = 0; n < NT; n++) {
            const int column = n * COLUMNS + 2 * t - from;
            if (column >= 0 && column + 1 < STRIDE) {
#pragma unroll
                for (int i = 0; i < 2; i++) {
                    out[16 * i + g][column] = sums[i][n][0];
                    out[16 * i + g][column + 1] = sums[i][n][1];
                    out[16 * i + g + 8][column] = sums[i][n][2];
                    out[16 * i + g + 8][column + 1] = sums[i][n][3];
                }
            }
        }
    }
};
#endif

template <class Sums>
struct SharedSums {
    // one column more, so that the 8 warps' tiles fall into different banks
    float of[WARPS][TILE][Sums::ROWS_AT_ONCE + 1];
};

// The warp's share of a tile, all its chunks, with DEPTH of them in flight.
template <class W, class Sums>
INLINE void accumulate(const Product& a, int tile, int first_row, Sums& sums) {
    const int warp = threadIdx.x / WARP;
    const int g = threadIdx.x % WARP / 4;
    const int t = threadIdx.x % 4;
    const int chunks = a.inputs / W::CHUNK;
    sums.start(a, first_row);
    uint4 w[Sums::DEPTH][LANE_OUTPUTS];
    Scales<W> scales[Sums::DEPTH];
#pragma unroll
    for (int d = 0; d < Sums::DEPTH; d++) {
        const int chunk = warp + d * WARPS;
        if (chunk < chunks) {
            load_chunk<W>(a, tile, chunk, g, t, w[d], scales[d]);
        }
    }
    for (int first = warp; first < chunks; first += Sums::DEPTH * WARPS) {
#pragma unroll
        for (int d = 0; d < Sums::DEPTH; d++) {
            const int chunk = first + d * WARPS;
            if (chunk < chunks) {
                sums.add(a, chunk, g, t, w[d], scales[d]);
            }
            const int next = chunk + Sums::DEPTH * WARPS;
            if (next < chunks) {
                load_chunk<W>(a, tile, next, g, t, w[d], scales[d]);
            }
        }
    }
}

// Adds up the warps' sums of rows `from` ..; afterwards sums of tile output o and row `from + r` are in shared.of[0][o][r].
template <class Sums>
INLINE void add_warps(Sums& sums, int from, SharedSums<Sums>& shared) {
    constexpr int ROWS = Sums::ROWS_AT_ONCE;
    const int warp = threadIdx.x / WARP;
    sums.store(from, threadIdx.x % WARP / 4, threadIdx.x % 4, shared.of[warp]);
    __syncthreads();
    for (int i = threadIdx.x; i < TILE * ROWS; i += THREADS) {
        const int output = i / ROWS;
        const int row = i % ROWS;
        float sum = shared.of[0][output][row];
#pragma unroll
        for (int other = 1; other < WARPS; other++) {
            sum += shared.of[other][output][row];
        }
        shared.of[0][output][row] = sum;
    }
    __syncthreads();
}

// A whole product: tile blockIdx.x, rows from blockIdx.y * Sums::COUNT.
template <class W, class Sums>
INLINE void product(const Product& a) {
    __shared__ SharedSums<Sums> shared;
    constexpr int ROWS = Sums::ROWS_AT_ONCE;
    const int tile = blockIdx.x;
    const int first_row = blockIdx.y * Sums::COUNT;
    Sums sums;
    accumulate<W>(a, tile, first_row, sums);
#pragma unroll
    for (int from = 0; from < Sums::COUNT; from += ROWS) {
        add_warps(sums, from, shared);
        for (int i = threadIdx.x; i < TILE * ROWS; i += THREADS) {
            const int output = tile * TILE + i % TILE;
            const int row = first_row + from + i / TILE;
            if (output < a.outputs && row < a.rows) {
                float sum = shared.of[0][i % TILE][i / TILE];
                if (a.bias != nullptr) {
                    sum += a.bias[output];
                }
                if (a.residual.data != nullptr) {
                    sum += load1(row_of(a.residual, row), a.residual.bf16, output);
                }
                a.y[static_cast<int64_t>(row) * a.y_stride + output] = sum;
            }
        }
        __syncthreads();
    }
}

// Defines the kernels NAME_PRECISION_rROWS (plain) and NAME_PRECISION_nTILES (tensor cores) for a precision, with BODY<W, Sums>.
#define PLAIN_KERNELS(name, Arguments, precision, W, PAIR, BODY)                                             \
    KERNEL(name##_##precision##_r1, Arguments, THREADS, 2) { BODY<W, PlainSums<W, 1, PAIR>>(a); }             \
    KERNEL(name##_##precision##_r4, Arguments, THREADS, 2) { BODY<W, PlainSums<W, 4, PAIR>>(a); }             \
    KERNEL(name##_##precision##_r8, Arguments, THREADS, 1) { BODY<W, PlainSums<W, 8, PAIR>>(a); }

#if defined(TENSOR_CORES) || defined(TENSOR_CORES_EMULATED)
#define TENSOR_KERNEL(name, Arguments, precision, W, PAIR, BODY, tiles, blocks) \
    KERNEL(name##_##precision##_n##tiles, Arguments, THREADS, blocks) { BODY<W, TensorSums<W, tiles, PAIR>>(a); }
#else
#define TENSOR_KERNEL(name, Arguments, precision, W, PAIR, BODY, tiles, blocks)
#endif
