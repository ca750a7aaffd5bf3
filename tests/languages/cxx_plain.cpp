// The half of a program that has neither exceptions nor RTTI.
#include "languages/cxx.h"

#include <hakmem/hakmem.hpp>

#include <map>
#include <vector>

std::pmr::memory_resource* plain_resource() {
    static hakmem::memory_resource resource;
    return &resource;
}

bool plain_says_equal(const std::pmr::memory_resource& one, const std::pmr::memory_resource& other) {
    return one == other;
}

void* plain_allocate(std::size_t bytes) {
    return hakmem::allocator<char>().allocate(bytes);
}

unsigned long plain_sum(unsigned count) {
    std::vector<unsigned, hakmem::allocator<unsigned>> numbers;
    std::pmr::map<unsigned, unsigned> doubled(plain_resource());
    for (unsigned i = 0; i < count; i++) {
        numbers.push_back(i);
        doubled[i] = 2 * i;
    }
    unsigned long sum = 0;
    for (unsigned number : numbers) sum += doubled[number];
    return sum;
}
