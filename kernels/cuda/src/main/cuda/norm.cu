// RMSNorm: y = x / sqrt(mean(x^2) + epsilon) * weight, and if wanted a copy of x. Grid: rows; block: 256 threads.
#include "prism.cuh"

constexpr int NORM_THREADS = 256;

struct Norm {
    Rows x;
    const float* weight;  // [width]
    float* y;
    float* copy;  // receives x; or null
    int width;
    int y_stride;
    int copy_stride;
    float epsilon;
};

KERNEL(rms_norm, Norm, NORM_THREADS, 1) {
    __shared__ float sums[NORM_THREADS / WARP];
    const int row = blockIdx.x;
    const char* x = row_of(a.x, row);
    float sum = 0;
    for (int i = threadIdx.x; i < a.width; i += NORM_THREADS) {
        const float value = load1(x, a.x.bf16, i);
        sum = fmaf(value, value, sum);
    }
    sum = warp_sum(sum);
    if (threadIdx.x % WARP == 0) {
        sums[threadIdx.x / WARP] = sum;
    }
    __syncthreads();
    sum = 0;
    for (int warp = 0; warp < NORM_THREADS / WARP; warp++) {
        sum += sums[warp];
    }
    const float factor = 1 / sqrtf(sum / a.width + a.epsilon);
    for (int i = threadIdx.x; i < a.width; i += NORM_THREADS) {
        const float value = load1(x, a.x.bf16, i);
        a.y[static_cast<int64_t>(row) * a.y_stride + i] = value * factor * a.weight[i];
        if (a.copy != nullptr) {
            a.copy[static_cast<int64_t>(row) * a.copy_stride + i] = value;
        }
    }
}
