# SPDX-License-Identifier: Apache-2.0
# One INTERFACE target carries all compile and link flags: oomtrace_flags.
add_library(oomtrace_flags INTERFACE)
target_compile_features(oomtrace_flags INTERFACE cxx_std_20)
target_compile_options(oomtrace_flags INTERFACE -Wall -Wextra -Wpedantic -Wshadow=local -Wno-missing-field-initializers)
if(CMAKE_CXX_COMPILER_ID MATCHES "Clang")
  # clang spells the local form of -Wshadow as the plain one.
  set_property(TARGET oomtrace_flags PROPERTY INTERFACE_COMPILE_OPTIONS -Wall -Wextra -Wpedantic -Wshadow
                                                                        -Wno-missing-field-initializers)
endif()
if(OOMTRACE_WERROR)
  target_compile_options(oomtrace_flags INTERFACE -Werror)
endif()
if(OOMTRACE_SANITIZE)
  target_compile_options(oomtrace_flags INTERFACE -fsanitize=${OOMTRACE_SANITIZE} -fno-omit-frame-pointer
                                                  -fno-sanitize-recover=all)
  target_link_options(oomtrace_flags INTERFACE -fsanitize=${OOMTRACE_SANITIZE})
endif()
if(OOMTRACE_FUZZ)
  target_compile_options(oomtrace_flags INTERFACE -fsanitize=fuzzer-no-link)
endif()

# oomtrace_library(NAME SOURCES... DEPENDS...): one static library for one folder of userspace/.
function(oomtrace_library name)
  cmake_parse_arguments(arg "" "" "SOURCES;DEPENDS;PRIVATE_DEPENDS" ${ARGN})
  add_library(oomtrace_${name} STATIC ${arg_SOURCES})
  target_include_directories(oomtrace_${name} PUBLIC "${PROJECT_SOURCE_DIR}/userspace")
  target_link_libraries(oomtrace_${name} PUBLIC oomtrace_include ${arg_DEPENDS} PRIVATE ${arg_PRIVATE_DEPENDS})
endfunction()

# oomtrace_test(NAME SOURCES... DEPENDS...): one GoogleTest program, found by ctest test by test.
function(oomtrace_test name)
  cmake_parse_arguments(arg "" "" "SOURCES;DEPENDS" ${ARGN})
  add_executable(test_${name} ${arg_SOURCES})
  target_include_directories(test_${name} PRIVATE "${PROJECT_SOURCE_DIR}/tests")
  target_link_libraries(test_${name} PRIVATE ${arg_DEPENDS} GTest::gtest_main)
  target_compile_definitions(test_${name} PRIVATE OOMTRACE_TESTS_DIR="${PROJECT_SOURCE_DIR}/tests")
  gtest_discover_tests(test_${name} TEST_PREFIX "${name}." DISCOVERY_TIMEOUT 60)
endfunction()
