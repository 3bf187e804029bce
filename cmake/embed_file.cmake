# embed_file(TARGET FILE HEADER NAMESPACE FUNCTION)
#
# Adds a source to TARGET that holds the bytes of FILE and defines NAMESPACE::FUNCTION, which HEADER
# declares to return them as a std::string_view. Made anew when FILE changes.
function(embed_file target file header namespace function)
    set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${file})
    file(READ ${file} bytes HEX)
    string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," bytes "${bytes}")
    set(source ${CMAKE_CURRENT_BINARY_DIR}/${function}.cpp)
    file(
        CONFIGURE
        OUTPUT ${source}
        CONTENT
            "#include \"@header@\"\n\nnamespace {\nconstexpr unsigned char bytes[] = {@bytes@};\n}\n\nstd::string_view @namespace@::@function@() {\n    return {reinterpret_cast<const char*>(bytes), sizeof(bytes)};\n}\n"
        @ONLY)
    target_sources(${target} PRIVATE ${source})
endfunction()
