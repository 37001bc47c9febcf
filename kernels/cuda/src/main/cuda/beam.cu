// Choosing which candidates go on: of a level the best `width`, by cumulative log-probability, the earlier first among
// equals. One block of 256 threads.
#include "prism.cuh"

constexpr int BEAM_THREADS = 256;

struct Beam {
    const int* tokens;    // of the level's candidates
    const float* scores;  // [count] of the level
    int* row_candidates;  // [width] receives candidates, falling by score
    int* row_tokens;      // [width] their tokens
    int* row_parents;     // [width] the row of the step before whose child each is
    int* tree_parents;    // by tree row, of the step to come: tree row of the parent, -1 for the root
    int count;            // candidates of the level: rows x width
    int first;            // number of its first candidate
    int width;
    int step;  // that comes, at least 1
};

KERNEL(beam_select, Beam, BEAM_THREADS, 1) {
    for (int candidate = threadIdx.x; candidate < a.count; candidate += BEAM_THREADS) {
        const float score = a.scores[candidate];
        int rank = 0;
        for (int other = 0; other < a.count; other++) {
            const float rival = a.scores[other];
            rank += rival > score || (rival == score && other < candidate) ? 1 : 0;
        }
        if (rank < a.width) {
            const int row = candidate / a.width;
            a.row_candidates[rank] = a.first + candidate;
            a.row_tokens[rank] = a.tokens[candidate];
            a.row_parents[rank] = row;
            a.tree_parents[(a.step - 1) * a.width + rank] = a.step == 1 ? -1 : (a.step - 2) * a.width + row;
        }
    }
}
