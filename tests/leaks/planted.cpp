// As planted.c, in C++.
#include "kept.h"

#include <cstddef>
#include <map>
#include <memory>
#include <new>
#include <string>
#include <vector>

namespace {

void* volatile used;

void use(void* block) {
    used = block;
    used = nullptr;
}

// An allocator as libraries bring it.
template <class T> struct Arena {
    using value_type = T;
    Arena() = default;
    template <class U> Arena(const Arena<U>&) {
    }
    T* allocate(std::size_t count) {
        return static_cast<T*>(std::malloc(count * sizeof(T)));
    }
    void deallocate(T* block, std::size_t) {
        std::free(block);
    }
    template <class U> bool operator==(const Arena<U>&) const {
        return true;
    }
    template <class U> bool operator!=(const Arena<U>&) const {
        return false;
    }
};

}  // namespace

namespace app {

struct Session {
    explicit Session(int number) : number(number) {
    }
    static void* operator new(std::size_t bytes) {
        return ::operator new(bytes + 32);
    }
    static void operator delete(void* block) {
        ::operator delete(block);
    }
    int number;
};

void connect() {
    use(new Session(3));
}

void remember() {
    use(new std::string("a text that is too long to be kept in the string itself"));
}

void collect() {
    auto list = std::make_unique<std::vector<int>>();
    for (int i = 0; i < 100; i++) list->push_back(i);
    use(list.release());
}

void index_words() {
    using Words = std::map<int, std::string, std::less<int>, Arena<std::pair<const int, std::string>>>;
    auto* words = new Words;
    for (int i = 0; i < 4; i++) (*words)[i] = "word";
    use(words);
}

}  // namespace app

static const struct program {
    const char* name;
    void (*run)();
} programs[] = {
    {"class", app::connect}, {"string", app::remember}, {"vector", app::collect}, {"map", app::index_words}};

static __attribute__((noinline)) void run_below(void (*run)()) {
    volatile char room[512];
    room[0] = 0;
    run();
    room[511] = 0;
}

static __attribute__((noinline)) void wipe() {
    volatile char bytes[8192];
    for (char volatile& byte : bytes) byte = 0;
}

int main(int count, char** words) {
    keep_blocks();
    for (const program& one : programs) {
        if (count != 2 || std::string(words[1]) != one.name) continue;
        run_below(one.run);
        wipe();
        return 0;
    }
    return 2;
}
