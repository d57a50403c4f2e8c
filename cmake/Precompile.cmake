# SPDX-License-Identifier: Apache-2.0
# LibTorch's headers cost seconds in every file, GoogleTest's and those of JSON one or two. Precompiled, they
# shorten a build from nothing. Not with ccache, which shares objects between checkouts only without.
#
#   dd_precompile(TARGET [torch] [test])   what the target's files may include is compiled in advance
option(DATADREAM_PCH "Precompile the headers of LibTorch, JSON and GoogleTest; leave it off with ccache" OFF)

set(dd_precompiled <algorithm> <cstdint> <filesystem> <functional> <map> <memory> <optional> <span> <string> <vector>
                   <nlohmann/json.hpp>)

function(dd_add_precompiled name)
  add_library(${name} OBJECT ${CMAKE_SOURCE_DIR}/cmake/precompiled.cpp)
  target_compile_features(${name} PUBLIC cxx_std_20)
  # As all files are compiled: it decides which macros the compiler has.
  target_compile_options(${name} PRIVATE -Wpedantic)
  target_link_libraries(${name} PRIVATE nlohmann_json::nlohmann_json)
  set(headers ${dd_precompiled})
  if("torch" IN_LIST ARGN)
    target_link_libraries(${name} PRIVATE dd::torch)
    list(APPEND headers <ATen/core/Tensor.h>)
  endif()
  if("test" IN_LIST ARGN)
    target_link_libraries(${name} PRIVATE GTest::gtest)
    list(APPEND headers <gtest/gtest.h>)
  endif()
  target_precompile_headers(${name} PRIVATE ${headers})
endfunction()

if(DATADREAM_PCH)
  dd_add_precompiled(dd_precompiled_torch torch)
  if(DATADREAM_TESTS)
    dd_add_precompiled(dd_precompiled_test test)
    dd_add_precompiled(dd_precompiled_torch_test torch test)
  endif()
endif()

function(dd_precompile target)
  if(NOT DATADREAM_PCH)
    return()
  endif()
  list(JOIN ARGN _ kind)
  target_precompile_headers(${target} REUSE_FROM dd_precompiled_${kind})
  # As the precompiled headers are: a program of its own would be -fPIE.
  set_target_properties(${target} PROPERTIES POSITION_INDEPENDENT_CODE OFF)
  target_compile_options(${target} PRIVATE -fPIC)
  if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    # It forgets of precompiled headers that they are the system's, and warns of what it inlines from them.
    target_compile_options(${target} PRIVATE -Wno-array-bounds -Wno-stringop-overflow -Wno-stringop-overread
                           -Wno-restrict)
    if(DATADREAM_SANITIZE STREQUAL "thread")
      # Of fences in LibTorch, which are for Python's objects.
      target_compile_options(${target} PRIVATE -Wno-tsan)
    endif()
  endif()
endfunction()

# Whether one of the modules includes LibTorch's headers.
function(dd_uses_torch result)
  get_property(with_torch GLOBAL PROPERTY DD_TORCH_MODULES)
  set(${result} OFF PARENT_SCOPE)
  foreach(module IN LISTS ARGN)
    if("${module}" IN_LIST with_torch)
      set(${result} ON PARENT_SCOPE)
    endif()
  endforeach()
endfunction()
