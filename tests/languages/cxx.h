// What cxx_plain.cpp, which is compiled without exceptions and without RTTI, has for cxx.cpp.
#ifndef TESTS_LANGUAGES_CXX_H
#define TESTS_LANGUAGES_CXX_H

#include <cstddef>
#include <memory_resource>

std::pmr::memory_resource* plain_resource();
bool plain_says_equal(const std::pmr::memory_resource& one, const std::pmr::memory_resource& other);
void* plain_allocate(std::size_t bytes);
unsigned long plain_sum(unsigned count);

#endif
