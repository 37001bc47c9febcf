// y = x W^T (+ bias) (+ residual). Grid: tiles of 32 outputs x groups of rows; block: 256 threads.
#include "product.cuh"

PLAIN_KERNELS(product, Product, f32, F32Weights, false, product)
PLAIN_KERNELS(product, Product, bf16, Bf16Weights, false, product)
PLAIN_KERNELS(product, Product, i8, I8Weights, false, product)
PLAIN_KERNELS(product, Product, q4, Q4Weights, false, product)

#define TENSOR_KERNELS(precision, W)                                        \
    TENSOR_KERNEL(product, Product, precision, W, false, product, 2, 2) \
    TENSOR_KERNEL(product, Product, precision, W, false, product, 4, 1) \
    TENSOR_KERNEL(product, Product, precision, W, false, product, 8, 1)

TENSOR_KERNELS(bf16, Bf16Weights)
TENSOR_KERNELS(i8, I8Weights)
TENSOR_KERNELS(q4, Q4Weights)
