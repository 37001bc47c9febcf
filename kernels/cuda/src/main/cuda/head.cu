// The head: logits = H x, of which only the best of each row and the log of the sum of exponentials leave the kernel.
//
// head_*: a block takes tiles blockIdx.x, blockIdx.x + gridDim.x, .. and keeps, for each row, the best `width` logits and
// the running maximum and sum. Grid: blocks up to LISTS_OF_THREAD * THREADS x groups of rows; block: 256 threads.
// head_merge: one block of 256 threads a row joins the lists and makes candidates of them.
#include "product.cuh"

// A thread of head_merge takes up to two lists.
constexpr int LISTS_OF_THREAD = 2;

struct Head {
    Product product;  // without bias, residual and y; rows at most MOST_WIDTH
    float multiplier;
    float soft_cap;
    int width;          // most logits wanted of a row, at most MOST_WIDTH
    int step;           // from 0, whose rows these are
    float* values;      // [rows, gridDim.x, width] falling
    int* indices;       // [rows, gridDim.x, width]
    float* maxima;      // [rows, gridDim.x]
    float* sums;        // [rows, gridDim.x], of exp(logit - maximum)
    const Round* round;
    const int* ids;     // by which noise goes, of each output; null for the outputs' own numbers
};

INLINE uint32_t mixed(uint32_t z) {
    uint32_t x = (z ^ (z >> 16)) * 0x21f0aaadu;
    x = (x ^ (x >> 15)) * 0xd35a2d97u;
    return x ^ (x >> 15);
}

// A fraction from 0 to 1 of 62 bits, rounded up to where it is never 0.
INLINE float fraction(uint32_t high, uint32_t low) {
    return (static_cast<float>(high >> 1) + (static_cast<float>(low >> 1) * 0x1p-31f + 0x1p-32f)) * 0x1p-31f;
}

// GumbelNoise.java: -log(-log(1 - v)), v having its full precision near 0, and 1 - v near 1.
INLINE float gumbel_noise(uint64_t key, uint32_t id) {
    const uint32_t low = mixed(id * 0x9e3779b9u + static_cast<uint32_t>(key));
    const uint32_t high = mixed(low ^ static_cast<uint32_t>(key >> 32));
    const float v = fraction(high, low);
    return -logf(v < 0.5f ? -log1pf(-v) : -logf(fraction(~high, ~low)));
}

template <class W, class Sums>
INLINE void head(const Head& a) {
    __shared__ SharedSums<Sums> shared;
    static_assert(Sums::COUNT <= MOST_WIDTH, "a warp handles four rows");
    constexpr int ROWS_OF_WARP = (Sums::COUNT + WARPS - 1) / WARPS;
    const int warp = threadIdx.x / WARP;
    const int lane = threadIdx.x % WARP;
    const int first_row = blockIdx.y * Sums::COUNT;
    const int tiles = (a.product.outputs + TILE - 1) / TILE;
    const float sharpness = a.round->sharpness;
    const float temperature = a.round->temperature;
    // of row warp + i * WARPS: the lane-th best logit so far, and the lane's own share of maximum and sum
    float value[ROWS_OF_WARP];
    int index[ROWS_OF_WARP];
    float maximum[ROWS_OF_WARP];
    float sum[ROWS_OF_WARP];
#pragma unroll
    for (int i = 0; i < ROWS_OF_WARP; i++) {
        value[i] = minus_infinity();
        index[i] = 0;
        maximum[i] = minus_infinity();
        sum[i] = 0;
    }
    for (int tile = blockIdx.x; tile < tiles; tile += gridDim.x) {
        Sums sums;
        accumulate<W>(a.product, tile, first_row, sums);
        add_warps(sums, 0, shared);
        const int output = tile * TILE + lane;
        const float noise =
            temperature > 0 && output < a.product.outputs
                ? temperature * gumbel_noise(a.round->keys[a.step], a.ids == nullptr ? output : a.ids[output])
                : 0;
#pragma unroll
        for (int i = 0; i < ROWS_OF_WARP; i++) {
            const int row = warp + i * WARPS;
            if (row < Sums::COUNT && first_row + row < a.product.rows) {
                float logit = minus_infinity();
                if (output < a.product.outputs) {
                    logit = sharpness * (soft_capped(a.multiplier * shared.of[0][lane][row], a.soft_cap) + noise);
                    if (logit != minus_infinity()) {
                        const float larger = fmaxf(maximum[i], logit);
                        sum[i] = sum[i] * expf(maximum[i] - larger) + expf(logit - larger);
                        maximum[i] = larger;
                    }
                }
                // the list is in the lanes, so inserting is a shift; equals stay behind those that came before
                float least = __shfl_sync(ALL, value[i], a.width - 1);
                unsigned better = __ballot_sync(ALL, logit > least);
                while (better != 0) {
                    const int from = __ffs(better) - 1;
                    const float inserted = __shfl_sync(ALL, logit, from);
                    const int at = __popc(__ballot_sync(ALL, value[i] >= inserted));
                    const float value_above = __shfl_up_sync(ALL, value[i], 1);
                    const int index_above = __shfl_up_sync(ALL, index[i], 1);
                    if (lane > at) {
                        value[i] = value_above;
                        index[i] = index_above;
                    } else if (lane == at) {
                        value[i] = inserted;
                        index[i] = tile * TILE + from;
                    }
                    if (lane == from) {
                        logit = minus_infinity();
                    }
                    least = __shfl_sync(ALL, value[i], a.width - 1);
                    better = __ballot_sync(ALL, logit > least);
                }
            }
        }
        __syncthreads();
    }
#pragma unroll
    for (int i = 0; i < ROWS_OF_WARP; i++) {
        const int row = first_row + warp + i * WARPS;
        if (warp + i * WARPS < Sums::COUNT && row < a.product.rows) {
            const float largest = warp_max(maximum[i]);
            const float total = warp_sum(maximum[i] == minus_infinity() ? sum[i] : sum[i] * expf(maximum[i] - largest));
            const int list = row * gridDim.x + blockIdx.x;
            if (lane < a.width) {
                a.values[list * a.width + lane] = value[i];
                a.indices[list * a.width + lane] = index[i];
            }
            if (lane == 0) {
                a.maxima[list] = largest;
                a.sums[list] = total;
            }
        }
    }
}

#define HEAD_TENSOR_KERNELS(precision, W)                      \
    TENSOR_KERNEL(head, Head, precision, W, false, head, 2, 2) \
    TENSOR_KERNEL(head, Head, precision, W, false, head, 4, 1)

PLAIN_KERNELS(head, Head, f32, F32Weights, false, head)
PLAIN_KERNELS(head, Head, bf16, Bf16Weights, false, head)
PLAIN_KERNELS(head, Head, i8, I8Weights, false, head)
PLAIN_KERNELS(head, Head, q4, Q4Weights, false, head)
HEAD_TENSOR_KERNELS(bf16, Bf16Weights)
HEAD_TENSOR_KERNELS(i8, I8Weights)
HEAD_TENSOR_KERNELS(q4, Q4Weights)

struct HeadMerge {
    const float* values;
    const int* indices;
    const float* maxima;
    const float* sums;
    const int* parents;          // [rows] candidate whose children a row gives; null for the root's
    const float* parent_scores;  // by candidate
    int* tokens;                 // [rows, width], of the level's candidates
    int* parent_of;              // as many: candidate, -1 for the root
    float* logs;                 // log-probability given the parent; negative infinity if there is no such token
    float* scores;               // cumulative
    int* failed;                 // set to 1 if a row gives NaN
    int lists;                   // at most LISTS_OF_THREAD * THREADS
    int width;
};

struct Best {
    float value;
    int index;
    int list;
};

INLINE bool before(const Best& one, const Best& other) {
    return one.value > other.value || (one.value == other.value && one.index < other.index);
}

KERNEL(head_merge, HeadMerge, THREADS, 1) {
    __shared__ float reduced[WARPS];
    __shared__ Best best[WARPS];
    __shared__ Best winner;
    const int row = blockIdx.x;
    const int warp = threadIdx.x / WARP;
    const int lane = threadIdx.x % WARP;
    const float* maxima = a.maxima + row * a.lists;
    const float* sums = a.sums + row * a.lists;

    float largest = minus_infinity();
    for (int list = threadIdx.x; list < a.lists; list += THREADS) {
        largest = fmaxf(largest, maxima[list]);
    }
    largest = warp_max(largest);
    if (lane == 0) {
        reduced[warp] = largest;
    }
    __syncthreads();
    largest = reduced[0];
    for (int other = 1; other < WARPS; other++) {
        largest = fmaxf(largest, reduced[other]);
    }
    __syncthreads();
    float sum = 0;
    for (int list = threadIdx.x; list < a.lists; list += THREADS) {
        // a list without finite logits has the sum 0, or NaN
        sum += maxima[list] == minus_infinity() ? sums[list] : sums[list] * expf(maxima[list] - largest);
    }
    sum = warp_sum(sum);
    if (lane == 0) {
        reduced[warp] = sum;
    }
    __syncthreads();
    sum = 0;
    for (int other = 0; other < WARPS; other++) {
        sum += reduced[other];
    }
    const float total = largest + logf(sum);
    const int parent = a.parents == nullptr ? -1 : a.parents[row];
    const float parent_score = parent < 0 ? 0 : a.parent_scores[parent];
    if (threadIdx.x == 0 && total != total) {
        *a.failed = 1;
    }

    // Every thread has up to two lists and offers the best of what they have left.
    int taken[LISTS_OF_THREAD] = {};
    for (int rank = 0; rank < a.width; rank++) {
        Best mine = {minus_infinity(), 0x7fffffff, -1};
        for (int i = 0; i < LISTS_OF_THREAD; i++) {
            const int list = threadIdx.x + i * THREADS;
            if (list < a.lists && taken[i] < a.width) {
                const int at = (row * a.lists + list) * a.width + taken[i];
                const Best head_of_list = {a.values[at], a.indices[at], list};
                if (head_of_list.value != minus_infinity() && before(head_of_list, mine)) {
                    mine = head_of_list;
                }
            }
        }
        const Best offered = mine;
        for (int lanes = WARP / 2; lanes > 0; lanes /= 2) {
            const Best other = {__shfl_xor_sync(ALL, mine.value, lanes), __shfl_xor_sync(ALL, mine.index, lanes),
                                __shfl_xor_sync(ALL, mine.list, lanes)};
            if (before(other, mine)) {
                mine = other;
            }
        }
        if (lane == 0) {
            best[warp] = mine;
        }
        __syncthreads();
        if (threadIdx.x == 0) {
            Best first = best[0];
            for (int other = 1; other < WARPS; other++) {
                if (before(best[other], first)) {
                    first = best[other];
                }
            }
            winner = first;
            const int at = row * a.width + rank;
            const float log = fminf(0, first.value - total);
            const bool there = first.list >= 0 && log > minus_infinity();
            a.tokens[at] = there ? first.index : 0;
            a.parent_of[at] = parent;
            a.logs[at] = there ? log : minus_infinity();
            a.scores[at] = there ? parent_score + log : minus_infinity();
        }
        __syncthreads();
        for (int i = 0; i < LISTS_OF_THREAD; i++) {
            if (winner.list >= 0 && winner.list == static_cast<int>(threadIdx.x) + i * THREADS && offered.list == winner.list) {
                taken[i]++;
            }
        }
    }
}
