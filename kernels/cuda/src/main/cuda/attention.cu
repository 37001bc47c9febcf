// Attention over a paged cache with a mask of ancestors.
//
// attention_prefix: what all rows see, the accepted context, cut into SPLITS parts. A block takes the chunks of a part one
// after the other, for one key/value head and 16 queries, so that a key is read once for many queries.
// Grid: kv heads x SPLITS x groups of 16 queries; block: 128 threads.
// attention_merge: joins the parts with what a row sees of its own: its ancestors and itself. Grid: heads x rows; block: 128.
#include "prism.cuh"

constexpr int ATTENTION_WARPS = 4;
constexpr int ATTENTION_THREADS = ATTENTION_WARPS * WARP;
constexpr int WARP_QUERIES = 4;
constexpr int BLOCK_QUERIES = ATTENTION_WARPS * WARP_QUERIES;
constexpr int CHUNK_SLOTS = WARP;
constexpr int MOST_HEAD_SIZE = 128;
constexpr int LANE_ELEMENTS = MOST_HEAD_SIZE / WARP;

struct Attention {
    const Round* round;
    float* const* pages;      // as in rotary.cu
    const float* qkv;         // [rows, q | k | v], q rotated
    const int* tree_parents;  // by tree row: tree row of the parent, -1 for none
    float* part_sums;         // [rows, heads, splits, head_size], weighted sums of values
    float* part_maxima;       // [rows, heads, splits]
    float* part_weights;      // [rows, heads, splits]
    float* y;                 // [rows, heads * head_size]
    int qkv_stride;
    int y_stride;
    int heads;
    int kv_heads;
    int head_size;  // at most MOST_HEAD_SIZE
    int step;       // 0: one row, the last of the extend step
    int width;      // rows of a step after the first
    int splits;
    float scale;
    float soft_cap;
};

INLINE const float* query_row(const Attention& a, int row) {
    return a.qkv + static_cast<int64_t>(a.step == 0 ? a.round->last : row) * a.qkv_stride;
}

KERNEL(attention_prefix, Attention, ATTENTION_THREADS, 2) {
    __shared__ float keys[CHUNK_SLOTS][MOST_HEAD_SIZE + 1];
    __shared__ float queries[BLOCK_QUERIES][MOST_HEAD_SIZE];
    const int kv_head = blockIdx.x;
    const int split = blockIdx.y;
    const int group = a.heads / a.kv_heads;
    const int rows = a.step == 0 ? 1 : a.width;
    const int count = rows * group;
    const int first = blockIdx.z * BLOCK_QUERIES;
    const int warp = threadIdx.x / WARP;
    const int lane = threadIdx.x % WARP;
    const int kv_width = a.kv_heads * a.head_size;
    const int visible = a.round->length + a.round->rows;

    for (int i = threadIdx.x; i < BLOCK_QUERIES * a.head_size; i += ATTENTION_THREADS) {
        const int query = min(first + i / a.head_size, count - 1);
        const int head = kv_head * group + query % group;
        queries[i / a.head_size][i % a.head_size] =
                query_row(a, query / group)[head * a.head_size + i % a.head_size] * a.scale;
    }
    float maximum[WARP_QUERIES];
    float weight[WARP_QUERIES];
    float sum[WARP_QUERIES][LANE_ELEMENTS];
#pragma unroll
    for (int q = 0; q < WARP_QUERIES; q++) {
        maximum[q] = minus_infinity();
        weight[q] = 0;
#pragma unroll
        for (int i = 0; i < LANE_ELEMENTS; i++) {
            sum[q][i] = 0;
        }
    }
    for (int start = split * CHUNK_SLOTS; start < visible; start += a.splits * CHUNK_SLOTS) {
        const int slots = min(CHUNK_SLOTS, visible - start);
        const float* page_keys = a.pages[start / PAGE] + start % PAGE * kv_width + kv_head * a.head_size;
        const float* page_values = page_keys + PAGE * kv_width;
        __syncthreads();
        for (int i = threadIdx.x; i < slots * a.head_size; i += ATTENTION_THREADS) {
            keys[i / a.head_size][i % a.head_size] = page_keys[i / a.head_size * kv_width + i % a.head_size];
        }
        __syncthreads();
        float score[WARP_QUERIES];
#pragma unroll
        for (int q = 0; q < WARP_QUERIES; q++) {
            score[q] = 0;
        }
        if (lane < slots) {
            for (int e = 0; e < a.head_size; e++) {
                const float key = keys[lane][e];
#pragma unroll
                for (int q = 0; q < WARP_QUERIES; q++) {
                    score[q] = fmaf(queries[warp * WARP_QUERIES + q][e], key, score[q]);
                }
            }
        }
        float exponential[WARP_QUERIES];
#pragma unroll
        for (int q = 0; q < WARP_QUERIES; q++) {
            const float seen = lane < slots ? soft_capped(score[q], a.soft_cap) : minus_infinity();
            const float larger = fmaxf(maximum[q], warp_max(seen));
            exponential[q] = lane < slots ? expf(seen - larger) : 0;
            const float shrink = expf(maximum[q] - larger);
            weight[q] = weight[q] * shrink + warp_sum(exponential[q]);
            maximum[q] = larger;
#pragma unroll
            for (int i = 0; i < LANE_ELEMENTS; i++) {
                sum[q][i] *= shrink;
            }
        }
        for (int slot = 0; slot < slots; slot++) {
            float value[LANE_ELEMENTS];
#pragma unroll
            for (int i = 0; i < LANE_ELEMENTS; i++) {
                const int e = lane + i * WARP;
                value[i] = e < a.head_size ? page_values[slot * kv_width + e] : 0;
            }
#pragma unroll
            for (int q = 0; q < WARP_QUERIES; q++) {
                const float factor = __shfl_sync(ALL, exponential[q], slot);
#pragma unroll
                for (int i = 0; i < LANE_ELEMENTS; i++) {
                    sum[q][i] = fmaf(factor, value[i], sum[q][i]);
                }
            }
        }
    }
#pragma unroll
    for (int q = 0; q < WARP_QUERIES; q++) {
        const int query = first + warp * WARP_QUERIES + q;
        if (query < count) {
            const int head = kv_head * group + query % group;
            const int64_t part = (static_cast<int64_t>(query / group) * a.heads + head) * a.splits + split;
#pragma unroll
            for (int i = 0; i < LANE_ELEMENTS; i++) {
                const int e = lane + i * WARP;
                if (e < a.head_size) {
                    a.part_sums[part * a.head_size + e] = sum[q][i];
                }
            }
            if (lane == 0) {
                a.part_maxima[part] = maximum[q];
                a.part_weights[part] = weight[q];
            }
        }
    }
}

KERNEL(attention_merge, Attention, ATTENTION_THREADS, 4) {
    __shared__ int tail[MOST_STEPS];
    __shared__ float scores[MOST_STEPS];
    const int head = blockIdx.x;
    const int row = blockIdx.y;
    const int kv_head = head / (a.heads / a.kv_heads);
    const int kv_width = a.kv_heads * a.head_size;
    const int committed = a.round->length + a.round->rows;
    const int warp = threadIdx.x / WARP;
    const int lane = threadIdx.x % WARP;
    // a node of depth n sees n slots beyond the context, its own the last of them
    if (threadIdx.x == 0 && a.step > 0) {
        int tree_row = (a.step - 1) * a.width + row;
        for (int depth = a.step - 1; depth >= 0; depth--) {
            tail[depth] = committed + tree_row;
            tree_row = a.tree_parents[tree_row];
        }
    }
    __syncthreads();
    const float* query = query_row(a, row) + head * a.head_size;
    for (int i = warp; i < a.step; i += ATTENTION_WARPS) {
        const float* key = a.pages[tail[i] / PAGE] + tail[i] % PAGE * kv_width + kv_head * a.head_size;
        float score = 0;
        for (int e = lane; e < a.head_size; e += WARP) {
            score = fmaf(query[e] * a.scale, key[e], score);
        }
        score = warp_sum(score);
        if (lane == 0) {
            scores[i] = soft_capped(score, a.soft_cap);
        }
    }
    __syncthreads();
    const int64_t parts = (static_cast<int64_t>(row) * a.heads + head) * a.splits;
    float maximum = minus_infinity();
    for (int split = 0; split < a.splits; split++) {
        maximum = fmaxf(maximum, a.part_maxima[parts + split]);
    }
    for (int i = 0; i < a.step; i++) {
        maximum = fmaxf(maximum, scores[i]);
    }
    const int e = threadIdx.x;
    if (e >= a.head_size) {
        return;
    }
    float weight = 0;
    float sum = 0;
    for (int split = 0; split < a.splits; split++) {
        const float factor = expf(a.part_maxima[parts + split] - maximum);
        weight = fmaf(factor, a.part_weights[parts + split], weight);
        sum = fmaf(factor, a.part_sums[(parts + split) * a.head_size + e], sum);
    }
    for (int i = 0; i < a.step; i++) {
        const float* value = a.pages[tail[i] / PAGE] + (PAGE + tail[i] % PAGE) * kv_width + kv_head * a.head_size;
        const float factor = expf(scores[i] - maximum);
        weight += factor;
        sum = fmaf(factor, value[e], sum);
    }
    a.y[static_cast<int64_t>(row) * a.y_stride + head * a.head_size + e] = sum / weight;
}
