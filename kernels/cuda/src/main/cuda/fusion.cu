// The fusion layer, y = F [first ; second] (+ bias), reading both parts where they are: rows of the embedding by token,
// rows of the step before by parent. Grid and block as in product.cu.
#include "product.cuh"

PLAIN_KERNELS(fusion, Product, f32, F32Weights, true, product)
PLAIN_KERNELS(fusion, Product, bf16, Bf16Weights, true, product)
PLAIN_KERNELS(fusion, Product, i8, I8Weights, true, product)
PLAIN_KERNELS(fusion, Product, q4, Q4Weights, true, product)

#define TENSOR_KERNELS(precision, W)                                      \
    TENSOR_KERNEL(fusion, Product, precision, W, true, product, 2, 2) \
    TENSOR_KERNEL(fusion, Product, precision, W, true, product, 4, 1) \
    TENSOR_KERNEL(fusion, Product, precision, W, true, product, 8, 1)

TENSOR_KERNELS(bf16, Bf16Weights)
TENSOR_KERNELS(i8, I8Weights)
TENSOR_KERNELS(q4, Q4Weights)
