// Rotary positions and the KV append: rotates queries in place, keys on their way into the cache. Grid: rows; block: 128.
#include "prism.cuh"

constexpr int ROTARY_THREADS = 128;

// A page holds the keys of PAGE slots, [PAGE, kv width], and then their values.
struct Rotary {
    const Round* round;
    float* const* pages;   // by slot / PAGE
    float* qkv;            // [rows, q | k | v]
    const float* cosines;  // [positions, head_size / 2]
    const float* sines;
    float* mirror;  // receives [rows, k | v] of the extend step; not written in others
    int qkv_stride;
    int heads;
    int kv_heads;
    int head_size;
    int step;   // 0: extend; else rows are nodes of this depth
    int width;  // rows of a step after the first
};

// Where a row of a step goes.
struct Place {
    int slot;
    int position;
};

INLINE Place place_of(const Round& round, int step, int width, int row) {
    const int committed = round.length + round.rows;
    if (step == 0) {
        return {round.length + row, round.length + row};
    }
    return {committed + (step - 1) * width + row, committed + step - 1};
}

KERNEL(rotate_store, Rotary, ROTARY_THREADS, 1) {
    const int row = blockIdx.x;
    const Round round = *a.round;
    if (a.step == 0 && row >= round.rows) {
        return;
    }
    const Place place = place_of(round, a.step, a.width, row);
    const int half = a.head_size / 2;
    const int kv_width = a.kv_heads * a.head_size;
    const float* cosines = a.cosines + static_cast<int64_t>(place.position) * half;
    const float* sines = a.sines + static_cast<int64_t>(place.position) * half;
    float* query = a.qkv + static_cast<int64_t>(row) * a.qkv_stride;
    const float* key = query + a.heads * a.head_size;
    const float* value = key + kv_width;
    float* keys = a.pages[place.slot / PAGE] + (place.slot % PAGE) * kv_width;
    float* values = keys + PAGE * kv_width;
    float* mirror = a.mirror + static_cast<int64_t>(row) * 2 * kv_width;

    for (int i = threadIdx.x; i < a.heads * half; i += ROTARY_THREADS) {
        const int at = i / half * a.head_size + i % half;
        const float first = query[at];
        const float second = query[at + half];
        query[at] = first * cosines[i % half] - second * sines[i % half];
        query[at + half] = second * cosines[i % half] + first * sines[i % half];
    }
    for (int i = threadIdx.x; i < a.kv_heads * half; i += ROTARY_THREADS) {
        const int at = i / half * a.head_size + i % half;
        const float first = key[at];
        const float second = key[at + half];
        const float low = first * cosines[i % half] - second * sines[i % half];
        const float high = second * cosines[i % half] + first * sines[i % half];
        keys[at] = low;
        keys[at + half] = high;
        if (a.step == 0) {
            mirror[at] = low;
            mirror[at + half] = high;
        }
    }
    for (int i = threadIdx.x; i < kv_width; i += ROTARY_THREADS) {
        values[i] = value[i];
        if (a.step == 0) {
            mirror[kv_width + i] = value[i];
        }
    }
}
