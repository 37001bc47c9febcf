// Choosing the tree: the best candidates of all levels by cumulative log-probability, the earlier first among equals, in
// the order in which they came, so that parents precede children. One block of 1024 threads.
#include "prism.cuh"

constexpr int TREE_THREADS = 1024;

struct Tree {
    const Round* round;
    const int* tokens;      // of all candidates
    const int* parents;     // candidate, -1 for the root
    const float* logs;
    const float* scores;
    int* nodes;             // [count] scratch: node of each candidate, 0 for none
    int* size;              // receives the number of nodes, root not counted
    int* tree_tokens;       // by node - 1
    int* tree_parents;      // node, 0 for the root
    float* tree_logs;
    int count;
    int padding;
};

KERNEL(tree_select, Tree, TREE_THREADS, 1) {
    const int most = a.round->nodes;
    for (int candidate = threadIdx.x; candidate < a.count; candidate += TREE_THREADS) {
        const float score = a.scores[candidate];
        int rank = 0;
        for (int other = 0; other < a.count; other++) {
            const float rival = a.scores[other];
            rank += rival > score || (rival == score && other < candidate) ? 1 : 0;
        }
        a.nodes[candidate] = rank < most && score > minus_infinity() ? 1 : 0;
    }
    __syncthreads();
    int last = 0;
    for (int candidate = threadIdx.x; candidate < a.count; candidate += TREE_THREADS) {
        if (a.nodes[candidate] != 0) {
            int node = 0;
            for (int earlier = 0; earlier <= candidate; earlier++) {
                node += a.nodes[earlier] != 0 ? 1 : 0;
            }
            a.tree_tokens[node - 1] = a.tokens[candidate];
            a.tree_logs[node - 1] = a.logs[candidate];
            int parent_node = 0;
            for (int earlier = 0; earlier <= a.parents[candidate]; earlier++) {
                parent_node += a.nodes[earlier] != 0 ? 1 : 0;
            }
            a.tree_parents[node - 1] = parent_node;
            last = node;
        }
    }
    __shared__ int size;
    if (threadIdx.x == 0) {
        size = 0;
    }
    __syncthreads();
    if (last > 0) {
        atomicMax(&size, last);
    }
    __syncthreads();
    if (threadIdx.x == 0) {
        *a.size = size;
    }
}
