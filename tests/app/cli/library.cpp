#include "app/cli/library.h"

#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>

#include <unistd.h>

namespace cli_library_test {

using namespace app::cli;
namespace fs = std::filesystem;

namespace {

/// A folder of its own, gone with the test.
class Folder {
  public:
    Folder()
        : path_(fs::temp_directory_path() / ("interleaf-library-" + std::to_string(::getpid()))) {
        fs::create_directories(path_);
    }
    ~Folder() { fs::remove_all(path_); }
    Folder(const Folder&) = delete;
    Folder& operator=(const Folder&) = delete;

    const fs::path& path() const { return path_; }
    /// A scenario of this id and title below `where`.
    void add(const std::string& where, const std::string& id, const std::string& title) const {
        const fs::path file = path_ / where / (id + ".json");
        fs::create_directories(file.parent_path());
        std::ofstream(file)
            << R"({"id": ")" << id << R"(", "title": ")" << title
            << R"(", "fs": {"devices": [{"name": "a", "size": "64M"}]}, "tasks": {"t": {"run": ["sync"]}}})";
    }

  private:
    fs::path path_;
};

std::string title_of(const Library& library, const std::string& word) {
    const auto found = library.find(word);
    INFO((found.ok() ? std::string() : found.error().text()));
    REQUIRE(found.ok());
    return found.value()->title;
}

}  // namespace

TEST_CASE(
    "A scenario is looked for in the path, then upwards, then where the program came with its own",
    "[app][cli]") {
    const Folder folder;
    folder.add("scenarios", "mine/001", "upwards");
    folder.add("scenarios", "mine/002", "upwards");
    folder.add("extra", "mine/001", "path");
    fs::create_directories(folder.path() / "deep" / "er");
    const Environment environment{
        {"INTERLEAF_SCENARIO_PATH", (folder.path() / "extra").string() + ":/nonexistent"}};
    const Library library(environment, folder.path());
    CHECK(title_of(library, "mine/001") == "path");
    CHECK(title_of(library, "mine/002") == "upwards");
    CHECK(title_of(library, "mine/*2") == "upwards");
    CHECK(library.files().contains("replace/001"));
    CHECK(Library({}, folder.path() / "deep" / "er").files().contains("mine/002"));
}

TEST_CASE("What cannot be found or used is exit 3 with the nearest id", "[app][cli]") {
    const Folder folder;
    folder.add("extra", "mine/001", "good");
    const Library library({{"INTERLEAF_SCENARIO_PATH", (folder.path() / "extra").string()}},
                          folder.path());
    CHECK(library.find("mine/01").error().nearest == "mine/001");
    CHECK(library.find("mine/01").error().exit == app::exit_code::invalid);
    CHECK(library.find("*").error().exit == app::exit_code::usage);
    CHECK(library.select({"mine/*"}).value().size() == 1);
    CHECK_FALSE(library.select({"mine/*", "yours/*"}).ok());
    CHECK(library.find("/nonexistent/x.json").error().exit == app::exit_code::invalid);
    CHECK(title_of(library, (folder.path() / "extra/mine/001.json").string()) == "good");
    std::ofstream(folder.path() / "extra/mine/002.json") << "{";
    CHECK(Library({{"INTERLEAF_SCENARIO_PATH", (folder.path() / "extra").string()}}, folder.path())
              .find("mine/002")
              .error()
              .where->line == 1);
}

}  // namespace cli_library_test
