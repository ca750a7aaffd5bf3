// Mistakes of C++ programs that hakstress run names by function and line: mistakes WAY
#include <cassert>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

namespace app {
struct Item {
    const char* name;
    long rest[5];
};

static Item* shared_item;

Item* make_item(size_t extra) {
    auto* item = static_cast<Item*>(malloc(sizeof(Item) + extra));
    memset(item, 0, sizeof *item);
    item->name = "name";
    return item;
}

void drop_item(Item* item) {
    free(item);
}

void read_name(Item* const& item) {
    std::printf("%c\n", item->name[0]);
}

void throw_it(const std::string& what) {
    throw std::runtime_error(what);
}

void write_to(int* p) {
    *p = 1;
}

struct Leaky {
    explicit Leaky(int n) : numbers(new int[n]) {
    }
    int* numbers;
};

// A thread that only frees, while another one is alive: each has its own number.
void drop_in_thread(Item* item) {
    std::thread(drop_item, item).join();
}

// The thread still has the block in its quarantine.
void drop_in_thread_that_stays(Item* item) {
    std::thread([item] {
        drop_item(item);
        read_name(shared_item);
    }).join();
}

void overflow_into_next(size_t count) {
    char* blocks[3];
    for (auto& block : blocks) block = static_cast<char*>(malloc(48));
    char* low = blocks[0] < blocks[1] ? blocks[0] : blocks[1];
    char* high = blocks[0] < blocks[1] ? blocks[1] : blocks[0];
    memset(low + 48, '!', count);
    free(low);
    free(high);
    free(blocks[2]);
}

struct Owner {
    char* text = static_cast<char*>(malloc(100));
    long rest[3] = {};
    ~Owner() {
        free(text);
    }
};

// The destructor runs again, and reads the pointer that it frees from the freed block.
void destroy_twice() {
    auto* owner = new Owner;
    auto* beside = new Owner;
    delete beside;
    delete owner;
    std::thread([owner] { delete owner; }).join();
}

void write_past_vector() {
    std::vector<int> numbers(10);
    numbers[10] = 4;
}
}  // namespace app

int main(int argc, char** argv) {
    std::string way = argc > 1 ? argv[1] : "";
    app::shared_item = app::make_item(0);
    if (way == "read-freed") {
        app::drop_in_thread(app::shared_item);
        app::read_name(app::shared_item);
    }
    if (way == "read-freed-in-thread") app::drop_in_thread_that_stays(app::shared_item);
    if (way == "double-free") {
        app::drop_in_thread(app::shared_item);
        app::drop_item(app::shared_item);
    }
    if (way == "null") app::write_to(nullptr);
    if (way == "throw") app::throw_it("nobody catches this");
    if (way == "terminate") std::terminate();
    if (way == "assert") assert(app::shared_item == nullptr);
    if (way == "abort") std::abort();
    if (way == "leak") new app::Leaky(10);
    if (way == "fill-gap") app::overflow_into_next(16);
    if (way == "past-vector") app::write_past_vector();
    if (way == "destroy-twice") app::destroy_twice();
    if (way == "overflow") app::overflow_into_next(4);
    return 0;
}
