#include "app/report/bits.h"

#include <catch2/catch.hpp>

namespace report_bits_test {

using namespace app::report;

TEST_CASE("Golomb codes give back every number", "[app][report]") {
    for (unsigned k = 0; k < 8; ++k) {
        BitWriter writer;
        const std::vector<std::uint64_t> values{
            0, 1, 2, 7, 8, 63, 1000, 123456789, (std::uint64_t{1} << 62) - 1};
        for (const std::uint64_t value : values)
            writer.put_golomb(value, k);
        BitReader reader(writer.bytes());
        for (const std::uint64_t value : values)
            CHECK(reader.take_golomb(k) == value);
        CHECK_FALSE(reader.overrun());
    }
    BitWriter largest;
    largest.put_golomb(~std::uint64_t{0}, 4);
    CHECK(BitReader(largest.bytes()).take_golomb(4) == ~std::uint64_t{0});
}

TEST_CASE("Base 32 is that of RFC 4648 in lower case", "[app][report]") {
    const auto bytes = [](std::string_view text) {
        return std::vector<std::uint8_t>(text.begin(), text.end());
    };
    CHECK(base32(bytes("f")) == "my");
    CHECK(base32(bytes("fo")) == "mzxq");
    CHECK(base32(bytes("foo")) == "mzxw6");
    CHECK(base32(bytes("foob")) == "mzxw6yq");
    CHECK(base32(bytes("fooba")) == "mzxw6ytb");
    CHECK(base32(bytes("foobar")) == "mzxw6ytboi");
    CHECK(from_base32("mzxw6ytboi") == bytes("foobar"));
    CHECK(from_base32("MZXW6YTBOI") == bytes("foobar"));
    CHECK_FALSE(from_base32("mzx1"));
    CHECK_FALSE(from_base32("mz=="));
}

TEST_CASE("The check digits are OpenPGP's", "[app][report]") {
    const std::string_view text = "123456789";
    CHECK(crc24(std::vector<std::uint8_t>(text.begin(), text.end())) == 0x21CF02);
    CHECK(crc24({}) == 0xB704CE);
}

TEST_CASE("Reading past the end gives zeros and says so", "[app][report]") {
    const std::vector<std::uint8_t> bytes{0xff};
    BitReader reader(bytes);
    CHECK(reader.take(8) == 0xff);
    CHECK_FALSE(reader.overrun());
    CHECK(reader.take(3) == 0);
    CHECK(reader.overrun());
    CHECK(reader.take_golomb(0) == 0);
}

}  // namespace report_bits_test
