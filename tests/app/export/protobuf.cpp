#include "app/export/protobuf.h"

#include <catch2/catch.hpp>

namespace export_protobuf_test {

using app::exporter::Message;

TEST_CASE("Fields are encoded as protobuf's documentation has them", "[app][export]") {
    using namespace std::string_literals;
    CHECK(Message().number(1, 150).bytes() == "\x08\x96\x01");
    CHECK(Message().number(1, 0).bytes() == "\x08\0"s);
    CHECK(Message().text(2, "testing").bytes() == "\x12\x07testing");
    CHECK(Message().message(3, Message().number(1, 150)).bytes() == "\x1a\x03\x08\x96\x01");
    CHECK(Message().fixed64(1, 0x0102030405060708).bytes() ==
          "\x09\x08\x07\x06\x05\x04\x03\x02\x01");
    CHECK(Message().number(60, 1).bytes() == "\xe0\x03\x01");  // a tag of two bytes
    CHECK(Message().number(1, ~std::uint64_t{0}).bytes() ==
          "\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01");  // -1 as an int64, too
}

}  // namespace export_protobuf_test
