# SPDX-License-Identifier: Apache-2.0
# One folder = one target = one row of docs/architecture.md.
#
#   dd_add_module(NAME SOURCES a.cpp b.cpp [USES core tensor ...] [LIBS external ...] [TESTS a_test.cpp])
#
# makes the static library dd_NAME (alias dd::NAME) and, where tests are built, one executable
# NAME_test of the unit tests that lie beside the sources.
include(GNUInstallDirs)

add_library(dd_warnings INTERFACE)
target_compile_options(dd_warnings INTERFACE -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Werror)
if(CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
  # libstdc++ itself calls what it declares deprecated (std::stable_sort).
  target_compile_options(dd_warnings INTERFACE -Wno-deprecated-declarations)
endif()

function(dd_add_module name)
  cmake_parse_arguments(M "" "" "SOURCES;USES;LIBS;TESTS;TEST_USES" ${ARGN})
  add_library(dd_${name} STATIC ${M_SOURCES})
  add_library(dd::${name} ALIAS dd_${name})
  target_include_directories(dd_${name} PUBLIC $<BUILD_INTERFACE:${CMAKE_SOURCE_DIR}/src>
                             $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
  target_compile_features(dd_${name} PUBLIC cxx_std_20)
  list(TRANSFORM M_USES PREPEND dd:: OUTPUT_VARIABLE uses)
  target_link_libraries(dd_${name} PUBLIC ${uses} ${M_LIBS} PRIVATE $<BUILD_INTERFACE:dd_warnings>)
  set_property(GLOBAL APPEND PROPERTY DD_MODULES ${name})
  dd_uses_torch(torch ${M_USES})
  if(torch OR "dd::torch" IN_LIST M_LIBS)
    set_property(GLOBAL APPEND PROPERTY DD_TORCH_MODULES ${name})
    dd_precompile(dd_${name} torch)
  endif()
  if(DATADREAM_TESTS AND M_TESTS)
    dd_add_test(${name}_test SOURCES ${M_TESTS} USES ${name} ${M_TEST_USES})
  endif()
endfunction()

#   dd_add_test(NAME SOURCES a_test.cpp [USES module ...])
# DD_SOURCE_DIR tells a test where the repository lies (oracle files, assets).
function(dd_add_test name)
  cmake_parse_arguments(T "" "" "SOURCES;USES;LIBS" ${ARGN})
  add_executable(${name} ${T_SOURCES})
  list(TRANSFORM T_USES PREPEND dd:: OUTPUT_VARIABLE uses)
  target_link_libraries(${name} PRIVATE ${uses} ${T_LIBS} dd_warnings GTest::gtest GTest::gtest_main)
  target_compile_definitions(${name} PRIVATE DD_SOURCE_DIR="${CMAKE_SOURCE_DIR}")
  target_include_directories(${name} PRIVATE ${CMAKE_SOURCE_DIR}/src ${CMAKE_SOURCE_DIR}/tests)
  dd_uses_torch(torch ${T_USES})
  if(torch)
    dd_precompile(${name} torch test)
  else()
    dd_precompile(${name} test)
  endif()
  add_test(NAME ${name} COMMAND ${name})
  # Sums of several threads are rounded in another order, and tests share the machine's cores.
  set_tests_properties(${name} PROPERTIES TIMEOUT 300 ENVIRONMENT OMP_NUM_THREADS=1)
endfunction()
