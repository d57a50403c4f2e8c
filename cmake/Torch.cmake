# SPDX-License-Identifier: Apache-2.0
# Finds LibTorch and defines the target dd::torch.
#
# DATADREAM_TORCH (cache variable or environment) names a folder that holds it: the unpacked LibTorch
# zip, the `torch` package of a Python wheel, a site-packages folder, or a system prefix. Only headers,
# libtorch, libtorch_cpu and libc10 are needed (and their CUDA counterparts where they are present), so
# no CUDA toolkit has to be installed.
set(DATADREAM_TORCH "$ENV{DATADREAM_TORCH}" CACHE PATH "Folder that holds LibTorch")

function(dd_torch_root result)
  foreach(candidate ${DATADREAM_TORCH} ${DATADREAM_TORCH}/torch ${DATADREAM_TORCH}/libtorch
                    ${CMAKE_SOURCE_DIR}/.deps/torch /usr /usr/local)
    if(EXISTS ${candidate}/include/ATen/core/Tensor.h OR EXISTS ${candidate}/include/ATen/core/TensorBody.h)
      set(${result} ${candidate} PARENT_SCOPE)
      return()
    endif()
  endforeach()
  message(FATAL_ERROR "LibTorch not found: set DATADREAM_TORCH to a folder that holds it "
                      "(a LibTorch zip, or the torch package of a Python wheel), or run `make` which fetches one")
endfunction()

dd_torch_root(torch_root)
find_library(DD_TORCH_CPU torch_cpu PATHS ${torch_root}/lib NO_DEFAULT_PATH NO_CACHE)
if(NOT DD_TORCH_CPU)
  find_library(DD_TORCH_CPU torch_cpu REQUIRED)
endif()
get_filename_component(torch_lib ${DD_TORCH_CPU} DIRECTORY)

set(torch_version "unknown")
if(EXISTS ${torch_root}/include/torch/headeronly/version.h)
  set(version_header ${torch_root}/include/torch/headeronly/version.h)
else()
  set(version_header ${torch_root}/include/torch/csrc/api/include/torch/version.h)
endif()
if(EXISTS ${version_header})
  file(STRINGS ${version_header} version_lines REGEX "define TORCH_VERSION_(MAJOR|MINOR|PATCH) ")
  string(REGEX MATCHALL "[0-9]+" torch_version "${version_lines}")
  string(REPLACE ";" "." torch_version "${torch_version}")
endif()
message(STATUS "LibTorch ${torch_version}: ${torch_root}")

# Imported, so that the installed package names it and finds it anew.
add_library(dd::torch INTERFACE IMPORTED)
target_include_directories(dd::torch SYSTEM INTERFACE ${torch_root}/include
                           ${torch_root}/include/torch/csrc/api/include)
# With it, LibTorch's own headers include single operators rather than all of them.
target_compile_definitions(dd::torch INTERFACE AT_PER_OPERATOR_HEADERS)
set(torch_libs ${torch_lib}/libtorch_cpu.so ${torch_lib}/libc10.so)
if(EXISTS ${torch_lib}/libtorch_cuda.so)
  # The CUDA kernels register themselves when their library is loaded, so it must stay linked although
  # no symbol of it is named.
  list(APPEND torch_libs -Wl,--no-as-needed ${torch_lib}/libtorch_cuda.so ${torch_lib}/libc10_cuda.so
       -Wl,--as-needed)
  # The CUDA wheel leaves its CUDA libraries in sibling packages that are found when the program starts.
  target_link_options(dd::torch INTERFACE -Wl,--unresolved-symbols=ignore-in-shared-libs)
endif()
target_link_libraries(dd::torch INTERFACE ${torch_libs})
target_link_options(dd::torch INTERFACE -Wl,-rpath,${torch_lib})
# Wheels before 2.7 may be built with the old string ABI; the config file of the package says so.
set(torch_config ${torch_root}/share/cmake/Torch/TorchConfig.cmake)
if(EXISTS ${torch_config})
  file(STRINGS ${torch_config} abi_line REGEX "_GLIBCXX_USE_CXX11_ABI=0")
  if(abi_line)
    add_compile_definitions(_GLIBCXX_USE_CXX11_ABI=0)
    add_compile_options(-Wno-restrict)  # g++ 12 warns of it within its own old strings
  endif()
endif()
