#include "model/format.h"

#include <array>
#include <catch2/catch.hpp>
#include <string_view>

namespace format_test {

namespace {

TEST_CASE("checksums are the ordinary CRC-32C", "[model][format]") {
    const std::string_view digits = "123456789";
    CHECK(model::crc32c(digits.data(), digits.size()) == 0xE3069283);
    const std::array<unsigned char, 4096> zeros{};
    CHECK(model::crc32c(zeros.data(), zeros.size()) == 0x98F94189);
}

TEST_CASE("names hash as in DIR_ITEM keys", "[model][format]") {
    CHECK(model::name_hash("default") == 0x8DBFC2D2);
    CHECK(model::name_hash("..") == 0x1AA9502B);
    CHECK(model::name_hash("file0") == 0x0479AE4B);
}

TEST_CASE("data references hash as in EXTENT_DATA_REF keys", "[model][format]") {
    CHECK(model::extent_data_ref_hash(5, 258, 0) == 1007496934479754521);
    CHECK(model::extent_data_ref_hash(5, 257, 0) == 1007496934145758698);
    CHECK(model::extent_data_ref_hash(256, 257, 4096) == 1002667597962309452);
    CHECK(model::extent_data_ref_hash(5, 270, 0 - model::u64{4096}) == 1007496933415514855);
}

TEST_CASE("keys sort by objectid, type and offset, all unsigned", "[model][format]") {
    const model::Key low{256, 1, 9}, middle{256, 12, 0}, high{model::extent_csum_objectid, 128, 0};
    CHECK(low < middle);
    CHECK(middle < high);
    CHECK(to_string(low) == "(256 1 9)");
}

TEST_CASE("errors have the kernel's texts and names", "[model][format]") {
    using model::Errno;
    CHECK(std::string_view(model::errno_text(Errno::NoSpc)) == "No space left");
    CHECK(std::string_view(model::errno_text(Errno::NoEnt)) == "No such entry");
    CHECK(std::string_view(model::errno_text(Errno::UClean)) == "Filesystem corrupted");
    CHECK(std::string_view(model::errno_text(Errno::Busy)) == "unknown");
    CHECK(std::string_view(model::errno_name(Errno::UClean)) == "UCLEAN");
}

}  // namespace

}  // namespace format_test
