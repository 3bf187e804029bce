# A layer (sim, model, app) is one static library. These two functions are all that the layers'
# own CMakeLists.txt need beside the names of what they link.

set(INTERLEAF_CONFIG_DIR ${CMAKE_INSTALL_LIBDIR}/cmake/interleaf)
set(INTERLEAF_INCLUDE_DIR ${CMAKE_INSTALL_INCLUDEDIR}/interleaf)

# What nearly every file includes; each still includes what it uses (the preset clang precompiles
# nothing). Never a header of our own: a compiler cache may hand out one precompiled in another
# clone, whose `#pragma once` does not know this clone's file.
set(INTERLEAF_PRECOMPILED
    <algorithm> <deque> <functional> <map> <memory> <mutex> <optional> <set> <span> <string>
    <unordered_map> <variant> <vector>)

# interleaf_compile_together(TARGET)
#
# Compiles a target's files some at a time: each alone would read the same headers and instantiate
# the same templates anew, which is most of what compiling it costs. So names in anonymous namespaces
# differ between the files of a folder (script/lint looks), and each test file has a namespace of its
# own. -DCMAKE_UNITY_BUILD=OFF compiles each alone: the preset clang does, and tools that read files so.
function(interleaf_compile_together target)
    if(NOT DEFINED CMAKE_UNITY_BUILD)
        set_target_properties(${target} PROPERTIES UNITY_BUILD ON UNITY_BUILD_BATCH_SIZE 10)
    endif()
endfunction()

# interleaf_layer(NAME [EXCLUDE REGEX] [PRECOMPILE HEADER...] [PUBLIC TARGET...] [PRIVATE TARGET...])
#
# Makes interleaf_NAME, also called interleaf::NAME, from every .cpp under the current folder,
# except those that match REGEX. Headers are included from the top of the repository
# ("sim/mutex.h"). A folder without a .cpp gives a library of headers alone. PRECOMPILE names headers
# to compile once beside INTERLEAF_PRECOMPILED.
function(interleaf_layer name)
    cmake_parse_arguments(PARSE_ARGV 1 arg "" "EXCLUDE" "PRECOMPILE;PUBLIC;PRIVATE")
    file(GLOB_RECURSE sources CONFIGURE_DEPENDS *.cpp)
    if(arg_EXCLUDE)
        list(FILTER sources EXCLUDE REGEX "${arg_EXCLUDE}")
    endif()

    set(target interleaf_${name})
    if(sources)
        set(public PUBLIC)
        set(private PRIVATE)
        add_library(${target} STATIC ${sources})
        target_precompile_headers(${target} PRIVATE ${INTERLEAF_PRECOMPILED} ${arg_PRECOMPILE})
        interleaf_compile_together(${target})
    else()
        set(public INTERFACE)
        set(private INTERFACE)
        add_library(${target} INTERFACE)
    endif()
    add_library(interleaf::${name} ALIAS ${target})
    set_target_properties(${target} PROPERTIES EXPORT_NAME ${name})
    target_compile_features(${target} ${public} cxx_std_20)
    target_include_directories(
        ${target} ${public}
        $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}> $<INSTALL_INTERFACE:${INTERLEAF_INCLUDE_DIR}>)
    target_link_libraries(${target} ${public} ${arg_PUBLIC} ${private} ${arg_PRIVATE})
endfunction()

# interleaf_install_layer(NAME)
#
# Installs the library, its headers and its part of the CMake package, all as component NAME:
# a model of another filesystem needs `cmake --install BUILD --component sim` and no more.
function(interleaf_install_layer name)
    install(
        TARGETS interleaf_${name}
        EXPORT interleaf-${name}
        ARCHIVE COMPONENT ${name})
    install(
        DIRECTORY ${CMAKE_CURRENT_SOURCE_DIR}/
        DESTINATION ${INTERLEAF_INCLUDE_DIR}/${name}
        COMPONENT ${name}
        FILES_MATCHING PATTERN *.h)
    install(
        EXPORT interleaf-${name}
        NAMESPACE interleaf::
        DESTINATION ${INTERLEAF_CONFIG_DIR}
        COMPONENT ${name})
endfunction()
