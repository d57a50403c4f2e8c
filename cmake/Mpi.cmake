# SPDX-License-Identifier: Apache-2.0
# Sets DATADREAM_HAS_MPI, and defines MPI::MPI_C where it is true. MPI's C interface is all that is used.
# -DMPI_C_COMPILER=mpicc.mpich chooses one of several.
set(DATADREAM_HAS_MPI FALSE)
if(DATADREAM_MPI STREQUAL "ON" OR DATADREAM_MPI STREQUAL "AUTO")
  enable_language(C)
  find_package(MPI COMPONENTS C)
  set(DATADREAM_HAS_MPI ${MPI_C_FOUND})
elseif(NOT DATADREAM_MPI STREQUAL "OFF")
  message(FATAL_ERROR "DATADREAM_MPI is ${DATADREAM_MPI}; choose AUTO, ON or OFF")
endif()
if(DATADREAM_MPI STREQUAL "ON" AND NOT DATADREAM_HAS_MPI)
  message(FATAL_ERROR "MPI not found: run `apt-get install libopenmpi-dev openmpi-bin`, or configure with "
                      "-DDATADREAM_MPI=OFF")
endif()
