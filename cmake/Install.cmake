# SPDX-License-Identifier: Apache-2.0
# What `cmake --install` puts where, in two components: `program` (with the small base models, its manual
# page and completions) and `development` (library, headers, CMake package).
include(CMakePackageConfigHelpers)

install(TARGETS datadream RUNTIME COMPONENT program)
if(DATADREAM_HAS_MPI)
  install(TARGETS dd_mpi LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR}/datadream COMPONENT program)
endif()
install(DIRECTORY ${CMAKE_SOURCE_DIR}/assets/base DESTINATION ${CMAKE_INSTALL_DATADIR}/datadream COMPONENT program)
install(FILES ${CMAKE_SOURCE_DIR}/LICENSE ${CMAKE_SOURCE_DIR}/NOTICE DESTINATION ${CMAKE_INSTALL_DOCDIR}
        COMPONENT program)

# The program writes its own manual page and completions: KIND;ITS ARGUMENTS;PLACE BELOW share.
foreach(text "help-man||man/man1/datadream.1" "completion|bash|bash-completion/completions/datadream"
             "completion|zsh|zsh/site-functions/_datadream" "completion|fish|fish/vendor_completions.d/datadream.fish")
  string(REPLACE "|" ";" parts "${text}")
  list(POP_BACK parts place)
  list(REMOVE_ITEM parts "")
  list(JOIN parts " " arguments)
  set(file ${CMAKE_BINARY_DIR}/share/${place})
  get_filename_component(folder ${place} DIRECTORY)
  install(CODE "file(MAKE_DIRECTORY \"${CMAKE_BINARY_DIR}/share/${folder}\")
                execute_process(COMMAND \"${CMAKE_BINARY_DIR}/datadream\" ${arguments} OUTPUT_FILE \"${file}\"
                                COMMAND_ERROR_IS_FATAL ANY)" COMPONENT program)
  install(FILES ${file} DESTINATION ${CMAKE_INSTALL_DATADIR}/${folder} COMPONENT program)
endforeach()

# The library is every module but the program's own; datadream::datadream is all of them.
get_property(modules GLOBAL PROPERTY DD_MODULES)
list(REMOVE_ITEM modules cli)
add_library(dd_all INTERFACE)
set_target_properties(dd_all PROPERTIES EXPORT_NAME datadream)
foreach(module IN LISTS modules)
  set_target_properties(dd_${module} PROPERTIES EXPORT_NAME ${module})
  target_link_libraries(dd_all INTERFACE dd_${module})
endforeach()
list(TRANSFORM modules PREPEND dd_ OUTPUT_VARIABLE libraries)
install(TARGETS ${libraries} dd_all EXPORT datadream
        ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR}/datadream COMPONENT development)
install(DIRECTORY ${CMAKE_SOURCE_DIR}/src/dd DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} COMPONENT development
        FILES_MATCHING PATTERN "*.h" PATTERN "cli" EXCLUDE)

set(package ${CMAKE_INSTALL_LIBDIR}/cmake/datadream)
install(EXPORT datadream NAMESPACE datadream:: FILE datadreamTargets.cmake DESTINATION ${package}
        COMPONENT development)
configure_package_config_file(${CMAKE_SOURCE_DIR}/cmake/datadreamConfig.cmake.in
                              ${CMAKE_BINARY_DIR}/datadreamConfig.cmake INSTALL_DESTINATION ${package})
write_basic_package_version_file(${CMAKE_BINARY_DIR}/datadreamConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${CMAKE_BINARY_DIR}/datadreamConfig.cmake ${CMAKE_BINARY_DIR}/datadreamConfigVersion.cmake
              ${CMAKE_SOURCE_DIR}/cmake/Torch.cmake ${CMAKE_SOURCE_DIR}/cmake/Dependencies.cmake
        DESTINATION ${package} COMPONENT development)
