// The gated MLP's middle: y = activation(gate) * up (SwiGLU, or GELU's tanh form). Grid: any x rows; block: 256 threads.
#include "prism.cuh"

constexpr int GATE_THREADS = 256;

struct Gate {
    const float* gate_up;  // [rows, gate | up]
    float* y;              // [rows, width]
    int gate_up_stride;
    int y_stride;
    int width;
    int gelu;  // 0: SiLU
};

KERNEL(gate, Gate, GATE_THREADS, 1) {
    const float* gate = a.gate_up + static_cast<int64_t>(blockIdx.y) * a.gate_up_stride;
    const float* up = gate + a.width;
    float* y = a.y + static_cast<int64_t>(blockIdx.y) * a.y_stride;
    for (int i = blockIdx.x * GATE_THREADS + threadIdx.x; i < a.width; i += gridDim.x * GATE_THREADS) {
        const float x = gate[i];
        const float activated = a.gelu ? 0.5f * x * (1 + tanhf(0.7978845608f * (x + 0.044715f * x * x * x)))
                                       : x / (1 + expf(-x));
        y[i] = activated * up[i];
    }
}
