# SPDX-License-Identifier: Apache-2.0
# A text file as a constant in the program:
#
#   dd_embed_text(TARGET CONSTANT FILE HEADER)
#
# adds a source to TARGET that defines the `extern const std::string_view CONSTANT` which HEADER, below
# src/, declares in namespace dd::TARGET without its "dd_". Run as a script, this file writes that source.
if(CMAKE_SCRIPT_MODE_FILE)
  file(READ "${FILE}" text)
  file(WRITE "${OUT}" "#include \"${HEADER}\"\n\nconst std::string_view ${CONSTANT} = R\"embedded(${text})embedded\";\n")
  return()
endif()

set(DD_EMBED_TEXT ${CMAKE_CURRENT_LIST_FILE})
function(dd_embed_text target constant file header)
  string(REPLACE "dd_" "dd::" space ${target})
  set(out ${CMAKE_CURRENT_BINARY_DIR}/${constant}.cpp)
  add_custom_command(
    OUTPUT ${out}
    COMMAND ${CMAKE_COMMAND} -D FILE=${file} -D OUT=${out} -D HEADER=${header}
            -D CONSTANT=${space}::${constant} -P ${DD_EMBED_TEXT}
    DEPENDS ${file} ${DD_EMBED_TEXT}
    VERBATIM)
  target_sources(${target} PRIVATE ${out})
  # Compilers need not take long literals, but those that this project builds with do.
  set_source_files_properties(${out} PROPERTIES COMPILE_OPTIONS -Wno-overlength-strings)
endfunction()
