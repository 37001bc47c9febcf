// A driver without a device: the calls of libcuda.so.1 that PRISM makes, on the CPU. Kernels are the real ones, compiled
// with emulation.h. It checks what it is called with more strictly than a real driver, keeps count of everything that has
// to be given back, and fails on demand.
//
// Every device allocation ends at a page that may not be touched, and is unmapped when freed: reading or writing outside
// ends the process.
#include <sys/mman.h>
#include <unistd.h>

#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "emulation.h"

#define API extern "C" __attribute__((visibility("default")))

namespace {

using Result = int;
constexpr Result SUCCESS = 0, INVALID_VALUE = 1, OUT_OF_MEMORY = 2, INVALID_IMAGE = 200, INVALID_CONTEXT = 201,
                 NOT_FOUND = 500, INVALID_HANDLE = 400, CAPTURE_UNSUPPORTED = 900;
constexpr size_t ALIGNMENT = 256;

struct Graph {
    std::vector<std::function<void()>> nodes;
};

struct Stream {
    Graph* capturing = nullptr;
};

struct Function {
    const emulation::Kernel* kernel;
};

struct Module {
    std::string image;
    std::map<std::string, Function> functions;
};

struct Context {
    int retained = 0;
};

std::recursive_mutex mutex;
std::map<uintptr_t, size_t> device_memory;
std::map<uintptr_t, size_t> host_memory;
std::set<Stream*> streams;
std::set<Module*> modules;
std::set<Graph*> graphs;
std::set<Graph*> executables;
std::set<float*> events;
Context context;
thread_local int depth = 0;

long calls = 0;
long fail_at = -1;
Result fail_with = OUT_OF_MEMORY;
bool lost = false;
int capability = 80;
long launches = 0;
long replays = 0;
std::string complaint;

// Counts a call that can fail; gives what it has to fail with.
Result fails() {
    calls++;
    if (lost) {
        return fail_with;
    }
    return calls == fail_at ? fail_with : SUCCESS;
}

Result complain(Result result, const char* format, ...) {
    char text[512];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    if (complaint.empty()) {
        complaint = text;
    }
    return result;
}

#define FALLIBLE(name)                                              \
    std::lock_guard<std::recursive_mutex> lock(mutex);              \
    if (Result failure = fails()) {                                 \
        return failure;                                             \
    }
#define NEEDS_CONTEXT(name)                                                       \
    if (depth == 0) {                                                     \
        return complain(INVALID_CONTEXT, name " without a current context");      \
    }

size_t page_bytes() {
    return sysconf(_SC_PAGESIZE);
}

size_t mapped_bytes(size_t bytes) {
    return (bytes + page_bytes() - 1) / page_bytes() * page_bytes();
}

void unmap(std::map<uintptr_t, size_t>::iterator block) {
    const uintptr_t end = (block->first + block->second + page_bytes() - 1) / page_bytes() * page_bytes();
    const size_t mapped = mapped_bytes(block->second);
    munmap(reinterpret_cast<void*>(end - mapped), mapped + page_bytes());
    device_memory.erase(block);
}

bool within(const std::map<uintptr_t, size_t>& memory, uintptr_t address, size_t bytes) {
    auto after = memory.upper_bound(address);
    if (after == memory.begin()) {
        return false;
    }
    auto block = std::prev(after);
    return address + bytes <= block->first + block->second;
}

Result perform(Stream* stream, std::function<void()> work) {
    if (streams.count(stream) == 0) {
        return complain(INVALID_HANDLE, "work on a stream that does not exist");
    }
    if (stream->capturing != nullptr) {
        stream->capturing->nodes.push_back(std::move(work));
    } else {
        work();
    }
    return SUCCESS;
}

const std::map<Result, std::pair<const char*, const char*>> ERRORS = {
        {SUCCESS, {"CUDA_SUCCESS", "no error"}},
        {INVALID_VALUE, {"CUDA_ERROR_INVALID_VALUE", "invalid argument"}},
        {OUT_OF_MEMORY, {"CUDA_ERROR_OUT_OF_MEMORY", "out of memory"}},
        {INVALID_IMAGE, {"CUDA_ERROR_INVALID_IMAGE", "device kernel image is invalid"}},
        {INVALID_CONTEXT, {"CUDA_ERROR_INVALID_CONTEXT", "invalid device context"}},
        {INVALID_HANDLE, {"CUDA_ERROR_INVALID_HANDLE", "invalid resource handle"}},
        {NOT_FOUND, {"CUDA_ERROR_NOT_FOUND", "named symbol not found"}},
        {719, {"CUDA_ERROR_LAUNCH_FAILED", "unspecified launch failure"}},
        {CAPTURE_UNSUPPORTED, {"CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED", "operation not permitted when stream is capturing"}},
};

}  // namespace

// For tests.
API void fake_cuda_fail_at(long call, int result) {
    fail_at = call < 0 ? -1 : calls + call;
    fail_with = result;
}
// 0 brings it back, with nothing on it, as a device is when the processes that lost it have ended.
API void fake_cuda_lose_device(int result) {
    std::lock_guard<std::recursive_mutex> lock(mutex);
    if (lost && result == SUCCESS) {
        while (!device_memory.empty()) {
            unmap(device_memory.begin());
        }
        for (auto& block : host_memory) {
            free(reinterpret_cast<void*>(block.first));
        }
        host_memory.clear();
        streams.clear();
        modules.clear();
        graphs.clear();
        executables.clear();
        events.clear();
        context.retained = 0;
    }
    lost = result != SUCCESS;
    fail_with = result;
}
API long fake_cuda_calls() {
    return calls;
}
API void fake_cuda_set_capability(int value) {
    capability = value;
}
API long fake_cuda_replays() {
    return replays;
}
API long fake_cuda_launches() {
    return launches;
}
// Things that were taken and not given back.
API long fake_cuda_live() {
    return device_memory.size() + host_memory.size() + streams.size() + modules.size() + graphs.size() +
           executables.size() + events.size() + context.retained;
}
// The first misuse, or an empty text.
API const char* fake_cuda_complaint() {
    return complaint.c_str();
}

API Result cuGetErrorName(Result error, const char** name) {
    auto known = ERRORS.find(error);
    *name = known == ERRORS.end() ? nullptr : known->second.first;
    return known == ERRORS.end() ? INVALID_VALUE : SUCCESS;
}
API Result cuGetErrorString(Result error, const char** text) {
    auto known = ERRORS.find(error);
    *text = known == ERRORS.end() ? nullptr : known->second.second;
    return known == ERRORS.end() ? INVALID_VALUE : SUCCESS;
}
API Result cuInit(unsigned) {
    FALLIBLE("cuInit");
    return SUCCESS;
}
API Result cuDriverGetVersion(int* version) {
    FALLIBLE("cuDriverGetVersion");
    *version = 12060;
    return SUCCESS;
}
API Result cuDeviceGetCount(int* count) {
    FALLIBLE("cuDeviceGetCount");
    *count = 1;
    return SUCCESS;
}
API Result cuDeviceGet(int* device, int ordinal) {
    FALLIBLE("cuDeviceGet");
    *device = ordinal;
    return ordinal == 0 ? SUCCESS : INVALID_VALUE;
}
API Result cuDeviceGetName(char* name, int length, int) {
    FALLIBLE("cuDeviceGetName");
    snprintf(name, length, "emulated device");
    return SUCCESS;
}
API Result cuDeviceGetAttribute(int* value, int attribute, int) {
    FALLIBLE("cuDeviceGetAttribute");
    switch (attribute) {
        case 16: *value = 3; return SUCCESS;  // multiprocessors
        case 75: *value = capability / 10; return SUCCESS;
        case 76: *value = capability % 10; return SUCCESS;
        default: return complain(INVALID_VALUE, "attribute %d", attribute);
    }
}
API Result cuDevicePrimaryCtxRetain(Context** out, int) {
    FALLIBLE("cuDevicePrimaryCtxRetain");
    context.retained++;
    *out = &context;
    return SUCCESS;
}
API Result cuDevicePrimaryCtxRelease_v2(int) {
    std::lock_guard<std::recursive_mutex> lock(mutex);
    if (context.retained == 0) {
        return complain(INVALID_CONTEXT, "the primary context is released too often");
    }
    context.retained--;
    return SUCCESS;
}
// Allocates nothing, so it fails with a lost device only.
API Result cuCtxPushCurrent_v2(Context* wanted) {
    std::lock_guard<std::recursive_mutex> lock(mutex);
    if (lost) {
        return fail_with;
    }
    if (wanted != &context || context.retained == 0) {
        return complain(INVALID_CONTEXT, "a context that was released is made current");
    }
    depth++;
    return SUCCESS;
}
API Result cuCtxPopCurrent_v2(Context** out) {
    std::lock_guard<std::recursive_mutex> lock(mutex);
    NEEDS_CONTEXT("cuCtxPopCurrent");
    depth--;
    *out = &context;
    return SUCCESS;
}
API Result cuMemAlloc_v2(uintptr_t* address, size_t bytes) {
    FALLIBLE("cuMemAlloc");
    NEEDS_CONTEXT("cuMemAlloc");
    if (bytes == 0) {
        return complain(INVALID_VALUE, "cuMemAlloc of 0 bytes");
    }
    const size_t mapped = mapped_bytes(bytes);
    char* memory = static_cast<char*>(mmap(nullptr, mapped + page_bytes(), PROT_READ | PROT_WRITE,
                                           MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
    if (memory == MAP_FAILED) {
        return OUT_OF_MEMORY;
    }
    mprotect(memory + mapped, page_bytes(), PROT_NONE);
    // as near to the end as 16-byte loads allow, and full of NaN
    const uintptr_t start = reinterpret_cast<uintptr_t>(memory + mapped - (bytes + 15) / 16 * 16);
    memset(reinterpret_cast<void*>(start), 0xff, bytes);
    device_memory[start] = bytes;
    *address = start;
    return SUCCESS;
}
API Result cuMemFree_v2(uintptr_t address) {
    std::lock_guard<std::recursive_mutex> lock(mutex);
    NEEDS_CONTEXT("cuMemFree");
    auto block = device_memory.find(address);
    if (block == device_memory.end()) {
        return complain(INVALID_VALUE, "cuMemFree of what is no allocation");
    }
    unmap(block);
    return SUCCESS;
}
API Result cuMemHostAlloc(void** address, size_t bytes, unsigned) {
    FALLIBLE("cuMemHostAlloc");
    NEEDS_CONTEXT("cuMemHostAlloc");
    *address = aligned_alloc(ALIGNMENT, (bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT);
    host_memory[reinterpret_cast<uintptr_t>(*address)] = bytes;
    return SUCCESS;
}
API Result cuMemFreeHost(void* address) {
    std::lock_guard<std::recursive_mutex> lock(mutex);
    NEEDS_CONTEXT("cuMemFreeHost");
    if (host_memory.erase(reinterpret_cast<uintptr_t>(address)) == 0) {
        return complain(INVALID_VALUE, "cuMemFreeHost of what is no allocation");
    }
    free(address);
    return SUCCESS;
}
API Result cuMemcpyHtoDAsync_v2(uintptr_t to, const void* from, size_t bytes, Stream* stream) {
    FALLIBLE("cuMemcpyHtoDAsync");
    NEEDS_CONTEXT("cuMemcpyHtoDAsync");
    if (!within(device_memory, to, bytes) || !within(host_memory, reinterpret_cast<uintptr_t>(from), bytes)) {
        return complain(INVALID_VALUE, "cuMemcpyHtoDAsync of %zu bytes is not between pinned and device memory", bytes);
    }
    return perform(stream, [=] { memcpy(reinterpret_cast<void*>(to), from, bytes); });
}
API Result cuMemcpyDtoHAsync_v2(void* to, uintptr_t from, size_t bytes, Stream* stream) {
    FALLIBLE("cuMemcpyDtoHAsync");
    NEEDS_CONTEXT("cuMemcpyDtoHAsync");
    if (!within(device_memory, from, bytes) || !within(host_memory, reinterpret_cast<uintptr_t>(to), bytes)) {
        return complain(INVALID_VALUE, "cuMemcpyDtoHAsync of %zu bytes is not between device and pinned memory", bytes);
    }
    return perform(stream, [=] { memcpy(to, reinterpret_cast<void*>(from), bytes); });
}
API Result cuMemcpyDtoDAsync_v2(uintptr_t to, uintptr_t from, size_t bytes, Stream* stream) {
    FALLIBLE("cuMemcpyDtoDAsync");
    NEEDS_CONTEXT("cuMemcpyDtoDAsync");
    if (!within(device_memory, from, bytes) || !within(device_memory, to, bytes)) {
        return complain(INVALID_VALUE, "cuMemcpyDtoDAsync of %zu bytes is not within device memory", bytes);
    }
    return perform(stream, [=] { memcpy(reinterpret_cast<void*>(to), reinterpret_cast<void*>(from), bytes); });
}
API Result cuMemsetD8Async(uintptr_t to, unsigned char value, size_t bytes, Stream* stream) {
    FALLIBLE("cuMemsetD8Async");
    NEEDS_CONTEXT("cuMemsetD8Async");
    if (!within(device_memory, to, bytes)) {
        return complain(INVALID_VALUE, "cuMemsetD8Async of %zu bytes is not within device memory", bytes);
    }
    return perform(stream, [=] { memset(reinterpret_cast<void*>(to), value, bytes); });
}
API Result cuStreamCreate(Stream** stream, unsigned) {
    FALLIBLE("cuStreamCreate");
    NEEDS_CONTEXT("cuStreamCreate");
    *stream = new Stream();
    streams.insert(*stream);
    return SUCCESS;
}
API Result cuStreamDestroy_v2(Stream* stream) {
    std::lock_guard<std::recursive_mutex> lock(mutex);
    NEEDS_CONTEXT("cuStreamDestroy");
    if (streams.erase(stream) == 0) {
        return complain(INVALID_HANDLE, "cuStreamDestroy of what is no stream");
    }
    delete stream->capturing;
    delete stream;
    return SUCCESS;
}
API Result cuStreamSynchronize(Stream* stream) {
    FALLIBLE("cuStreamSynchronize");
    NEEDS_CONTEXT("cuStreamSynchronize");
    if (stream->capturing != nullptr) {
        return complain(CAPTURE_UNSUPPORTED, "cuStreamSynchronize while capturing");
    }
    return SUCCESS;
}
API Result cuStreamBeginCapture_v2(Stream* stream, int) {
    FALLIBLE("cuStreamBeginCapture");
    NEEDS_CONTEXT("cuStreamBeginCapture");
    if (stream->capturing != nullptr) {
        return complain(CAPTURE_UNSUPPORTED, "cuStreamBeginCapture while capturing");
    }
    stream->capturing = new Graph();
    return SUCCESS;
}
API Result cuStreamEndCapture(Stream* stream, Graph** graph) {
    std::lock_guard<std::recursive_mutex> lock(mutex);
    NEEDS_CONTEXT("cuStreamEndCapture");
    if (stream->capturing == nullptr) {
        return complain(CAPTURE_UNSUPPORTED, "cuStreamEndCapture without a capture");
    }
    const Result failure = fails();
    if (failure != SUCCESS) {
        // a capture that became invalid ends without a graph
        delete stream->capturing;
        stream->capturing = nullptr;
        *graph = nullptr;
        return failure;
    }
    *graph = stream->capturing;
    stream->capturing = nullptr;
    graphs.insert(*graph);
    return SUCCESS;
}
API Result cuGraphInstantiateWithFlags(Graph** executable, Graph* graph, unsigned long long) {
    FALLIBLE("cuGraphInstantiate");
    NEEDS_CONTEXT("cuGraphInstantiate");
    if (graphs.count(graph) == 0) {
        return complain(INVALID_HANDLE, "cuGraphInstantiate of what is no graph");
    }
    *executable = new Graph(*graph);
    executables.insert(*executable);
    return SUCCESS;
}
API Result cuGraphDestroy(Graph* graph) {
    std::lock_guard<std::recursive_mutex> lock(mutex);
    if (graphs.erase(graph) == 0) {
        return complain(INVALID_HANDLE, "cuGraphDestroy of what is no graph");
    }
    delete graph;
    return SUCCESS;
}
API Result cuGraphExecDestroy(Graph* executable) {
    std::lock_guard<std::recursive_mutex> lock(mutex);
    if (executables.erase(executable) == 0) {
        return complain(INVALID_HANDLE, "cuGraphExecDestroy of what is no executable graph");
    }
    delete executable;
    return SUCCESS;
}
API Result cuGraphLaunch(Graph* executable, Stream* stream) {
    FALLIBLE("cuGraphLaunch");
    NEEDS_CONTEXT("cuGraphLaunch");
    if (executables.count(executable) == 0) {
        return complain(INVALID_HANDLE, "cuGraphLaunch of what is no executable graph");
    }
    replays++;
    return perform(stream, [=] {
        for (auto& node : executable->nodes) {
            node();
        }
    });
}
API Result cuModuleLoadData(Module** module, const void* image) {
    FALLIBLE("cuModuleLoadData");
    NEEDS_CONTEXT("cuModuleLoadData");
    *module = new Module{static_cast<const char*>(image), {}};
    const std::string target = ".target sm_";
    const size_t at = (*module)->image.find(target);
    if (at == std::string::npos || atoi((*module)->image.c_str() + at + target.size()) > capability) {
        delete *module;
        return complain(INVALID_IMAGE, "cuModuleLoadData of what this device can't run");
    }
    modules.insert(*module);
    return SUCCESS;
}
API Result cuModuleUnload(Module* module) {
    std::lock_guard<std::recursive_mutex> lock(mutex);
    NEEDS_CONTEXT("cuModuleUnload");
    if (modules.erase(module) == 0) {
        return complain(INVALID_HANDLE, "cuModuleUnload of what is no module");
    }
    delete module;
    return SUCCESS;
}
API Result cuModuleGetFunction(Function** function, Module* module, const char* name) {
    FALLIBLE("cuModuleGetFunction");
    const emulation::Kernel* kernel = emulation::find(name);
    if (kernel == nullptr || module->image.find(std::string(".entry ") + name + "(") == std::string::npos) {
        return NOT_FOUND;
    }
    module->functions[name] = {kernel};
    *function = &module->functions[name];
    return SUCCESS;
}
API Result cuLaunchKernel(Function* function, unsigned grid_x, unsigned grid_y, unsigned grid_z, unsigned block_x,
                          unsigned block_y, unsigned block_z, unsigned shared_bytes, Stream* stream, void** parameters,
                          void** extra) {
    FALLIBLE("cuLaunchKernel");
    NEEDS_CONTEXT("cuLaunchKernel");
    const emulation::Kernel* kernel = function->kernel;
    if (static_cast<int>(block_x) != kernel->threads || block_y != 1 || block_z != 1 || grid_x == 0 || grid_y == 0 ||
        grid_z == 0 || grid_y > 65535 || grid_z > 65535 || shared_bytes != 0 || extra != nullptr) {
        return complain(INVALID_VALUE, "%s launched on %u x %u x %u blocks of %u x %u x %u threads", kernel->name, grid_x,
                        grid_y, grid_z, block_x, block_y, block_z);
    }
    std::vector<char> arguments(kernel->argument_bytes);
    memcpy(arguments.data(), parameters[0], arguments.size());
    launches++;
    return perform(stream, [=] {
        emulation::launch(*kernel, {grid_x, grid_y, grid_z}, {block_x, block_y, block_z}, arguments.data());
    });
}
API Result cuEventCreate(float** event, unsigned) {
    FALLIBLE("cuEventCreate");
    *event = new float();
    events.insert(*event);
    return SUCCESS;
}
API Result cuEventDestroy_v2(float* event) {
    std::lock_guard<std::recursive_mutex> lock(mutex);
    if (events.erase(event) == 0) {
        return complain(INVALID_HANDLE, "cuEventDestroy of what is no event");
    }
    delete event;
    return SUCCESS;
}
API Result cuEventRecord(float*, Stream*) {
    FALLIBLE("cuEventRecord");
    return SUCCESS;
}
API Result cuEventSynchronize(float*) {
    FALLIBLE("cuEventSynchronize");
    return SUCCESS;
}
API Result cuEventElapsedTime(float* milliseconds, float*, float*) {
    FALLIBLE("cuEventElapsedTime");
    *milliseconds = 1;
    return SUCCESS;
}
