// See emulation.h.
#include "emulation.h"

#include <cstdio>
#include <cstdlib>
#include <vector>

namespace emulation {

Dimensions thread_index, block_index, block_size, grid_size;

namespace {

constexpr size_t STACK_BYTES = 128 << 10;
constexpr int MOST_THREADS = 1024;

enum class State { RUNNABLE, WAITS_FOR_WARP, WAITS_FOR_BLOCK, DONE };

struct Fiber {
    void* stack_pointer;
    State state;
    int parity;  // of its exchanges, so that a lane may hand in anew before others have read
};

struct Exchanged {
    uint32_t words[2][WARP_LANES][8];
};

Fiber fibers[MOST_THREADS];
Exchanged exchanged[MOST_THREADS / WARP_LANES];
std::vector<char> stacks;
void* scheduler_stack_pointer;
int running;
const Kernel* running_kernel;
const void* running_arguments;

Kernel*& kernels() {
    static Kernel* first = nullptr;
    return first;
}

[[noreturn]] void give_up(const char* what) {
    fprintf(stderr, "emulation: %s: %s, block %u %u %u, thread %d\n", running_kernel->name, what, block_index.x,
            block_index.y, block_index.z, running);
    abort();
}

}  // namespace

// Saves the callee-saved registers and the stack pointer, and goes on where another stack left off.
extern "C" void emulation_switch(void** saved, void* next);
asm(R"(
.text
.globl emulation_switch
.type emulation_switch, @function
emulation_switch:
    pushq %rbp
    pushq %rbx
    pushq %r12
    pushq %r13
    pushq %r14
    pushq %r15
    movq %rsp, (%rdi)
    movq %rsi, %rsp
    popq %r15
    popq %r14
    popq %r13
    popq %r12
    popq %rbx
    popq %rbp
    ret
.size emulation_switch, .-emulation_switch
)");

namespace {

void suspend(State state) {
    Fiber& fiber = fibers[running];
    fiber.state = state;
    emulation_switch(&fiber.stack_pointer, scheduler_stack_pointer);
}

void fiber_main() {
    running_kernel->call(running_arguments);
    suspend(State::DONE);
    abort();
}

void prepare(Fiber& fiber, char* stack) {
    // as emulation_switch leaves a stack: six registers and where to return to; there the stack is 8 below a multiple of 16
    void** top = reinterpret_cast<void**>((reinterpret_cast<uintptr_t>(stack) + STACK_BYTES) & ~uintptr_t(15));
    *--top = nullptr;
    *--top = reinterpret_cast<void*>(&fiber_main);
    for (int i = 0; i < 6; i++) {
        *--top = nullptr;
    }
    fiber = {top, State::RUNNABLE, 0};
}

void resume(int thread) {
    running = thread;
    const unsigned x = thread % block_size.x;
    thread_index = {x, thread / block_size.x % block_size.y, thread / (block_size.x * block_size.y)};
    emulation_switch(&scheduler_stack_pointer, fibers[thread].stack_pointer);
}

// Runs a warp until all of its lanes wait for the block or are done.
void run_warp(int first, int lanes) {
    while (true) {
        int waiting = 0;
        int done = 0;
        for (int lane = 0; lane < lanes; lane++) {
            Fiber& fiber = fibers[first + lane];
            if (fiber.state == State::RUNNABLE) {
                resume(first + lane);
            }
            waiting += fiber.state == State::WAITS_FOR_WARP ? 1 : 0;
            done += fiber.state == State::DONE ? 1 : 0;
        }
        if (waiting == 0) {
            return;
        }
        if (waiting != WARP_LANES) {
            give_up(done > 0 ? "lanes have ended that others exchange with" : "a warp parted before an exchange");
        }
        for (int lane = 0; lane < lanes; lane++) {
            fibers[first + lane].state = State::RUNNABLE;
        }
    }
}

void run_block(int threads) {
    for (int thread = 0; thread < threads; thread++) {
        prepare(fibers[thread], stacks.data() + thread * STACK_BYTES);
    }
    while (true) {
        int waiting = 0;
        for (int first = 0; first < threads; first += WARP_LANES) {
            run_warp(first, std::min(WARP_LANES, threads - first));
        }
        for (int thread = 0; thread < threads; thread++) {
            waiting += fibers[thread].state == State::WAITS_FOR_BLOCK ? 1 : 0;
        }
        if (waiting == 0) {
            return;
        }
        for (int thread = 0; thread < threads; thread++) {
            if (fibers[thread].state == State::WAITS_FOR_BLOCK) {
                fibers[thread].state = State::RUNNABLE;
            } else if (waiting % WARP_LANES != 0) {
                give_up("a warp parted before a barrier");
            }
        }
    }
}

float bf16(uint32_t pair, int half) {
    return of_bits<float>(half == 0 ? pair << 16 : pair & 0xffff0000u);
}

}  // namespace

Registration::Registration(const char* name, int threads, size_t bytes, void (*call)(const void*))
        : kernel{name, threads, bytes, call, kernels()} {
    kernels() = &kernel;
}

const Kernel* find(const char* name) {
    for (const Kernel* kernel = kernels(); kernel != nullptr; kernel = kernel->next) {
        if (strcmp(kernel->name, name) == 0) {
            return kernel;
        }
    }
    return nullptr;
}

void wait_for_block() {
    suspend(State::WAITS_FOR_BLOCK);
}

const uint32_t (*exchange(const uint32_t* words, int count))[8] {
    Fiber& fiber = fibers[running];
    auto& slots = exchanged[running / WARP_LANES].words[fiber.parity];
    fiber.parity ^= 1;
    memcpy(slots[running % WARP_LANES], words, count * sizeof(uint32_t));
    suspend(State::WAITS_FOR_WARP);
    return slots;
}

// mma.m16n8k16 on BF16: who holds what is written in NVIDIA's PTX ISA, "Matrix fragments for mma.m16n8k16".
void multiply_tile(float (&d)[4], uint32_t a0, uint32_t a1, uint32_t a2, uint32_t a3, uint32_t b0, uint32_t b1) {
    const uint32_t words[6] = {a0, a1, a2, a3, b0, b1};
    const int g = lane() / 4;
    const int t = lane() % 4;
    const uint32_t(*all)[8] = exchange(words, 6);
    for (int i = 0; i < 4; i++) {
        const int lower_half = i / 2;
        const int column = 2 * t + i % 2;
        float sum = d[i];
        for (int k = 0; k < 16; k++) {
            const uint32_t a = all[4 * g + k % 8 / 2][lower_half + 2 * (k / 8)];
            const uint32_t b = all[4 * column + k % 8 / 2][4 + k / 8];
            sum += bf16(a, k % 2) * bf16(b, k % 2);
        }
        d[i] = sum;
    }
}

void launch(const Kernel& kernel, Dimensions grid, Dimensions block, const void* arguments) {
    const int threads = block.x * block.y * block.z;
    if (stacks.empty()) {
        stacks.resize(MOST_THREADS * STACK_BYTES);
    }
    running_kernel = &kernel;
    running_arguments = arguments;
    block_size = block;
    grid_size = grid;
    for (unsigned z = 0; z < grid.z; z++) {
        for (unsigned y = 0; y < grid.y; y++) {
            for (unsigned x = 0; x < grid.x; x++) {
                block_index = {x, y, z};
                run_block(threads);
            }
        }
    }
}

}  // namespace emulation
