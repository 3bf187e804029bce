#include "app/cli/output.h"

#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <iterator>

#include <unistd.h>

namespace cli_output_test {

using namespace app::cli;
namespace fs = std::filesystem;

namespace {

std::string content_of(const fs::path& file) {
    std::ifstream stream(file);
    return {std::istreambuf_iterator<char>(stream), std::istreambuf_iterator<char>()};
}

std::size_t files_in(const fs::path& folder) {
    return static_cast<std::size_t>(
        std::distance(fs::directory_iterator(folder), fs::directory_iterator()));
}

}  // namespace

TEST_CASE("A file appears whole or not at all", "[app][cli]") {
    const fs::path folder =
        fs::temp_directory_path() / ("interleaf-output-" + std::to_string(::getpid()));
    fs::create_directories(folder);
    const fs::path file = folder / "report.json";
    SECTION("it is there after the commit") {
        AtomicFile output;
        CHECK(output.open(file.string()).empty());
        CHECK_FALSE(fs::exists(file));
        CHECK(output.commit("new\n").empty());
        CHECK(content_of(file) == "new\n");
        CHECK(files_in(folder) == 1);
    }
    SECTION("what was there stays until then") {
        std::ofstream(file) << "old";
        {
            AtomicFile output;
            CHECK(output.open(file.string()).empty());
            CHECK(content_of(file) == "old");
        }
        CHECK(content_of(file) == "old");
        CHECK(files_in(folder) == 1);
    }
    SECTION("a name that cannot be is known at once") {
        AtomicFile output;
        CHECK(output.open((folder / "no" / "file").string()).find("cannot write") == 0);
        CHECK_FALSE(output.is_open());
        CHECK(mistake_in_name((folder / "no" / "file").string()).find("cannot write") == 0);
        CHECK(mistake_in_name(folder.string()).find("cannot write") == 0);
    }
    SECTION("asking whether a file could be written leaves all as it was") {
        std::ofstream(file) << "old";
        CHECK(mistake_in_name(file.string()).empty());
        CHECK(mistake_in_name((folder / "other").string()).empty());
        CHECK(mistake_in_name("/dev/full").empty());
        CHECK(content_of(file) == "old");
        CHECK(files_in(folder) == 1);
    }
    SECTION("a full device is an error") {
        AtomicFile output;
        CHECK(output.open("/dev/full").empty());
        CHECK_FALSE(output.commit("x").empty());
    }
    fs::remove_all(folder);
}

}  // namespace cli_output_test
